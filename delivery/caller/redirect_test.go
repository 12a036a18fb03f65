package caller_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery/caller"
	wp "github.com/sluicego/sluice/webhookpolicy"
)

// following are plain options that follow two redirects.
func following() caller.Options {
	o := plain()
	o.Policy.MaxRedirects = 2
	return o
}

// chain answers /n with a redirect to /n-1, and /0 with 200. It keeps what came.
type chain struct {
	status   int
	requests []*http.Request
	bodies   []string
}

func (c *chain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.requests, c.bodies = append(c.requests, r), append(c.bodies, string(body))
	n, _ := strconv.Atoi(r.URL.Path[1:])
	if n > 0 {
		w.Header().Set("Location", "/"+strconv.Itoa(n-1))
		w.WriteHeader(c.status)
	}
}

// TestCall_Redirects shows how many are followed, and how (WHK-1).
func TestCall_Redirects(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run("WHK-1 two are followed by "+strconv.Itoa(status), func(t *testing.T) {
			receiver := &chain{status: status}
			l := serve(t, "127.0.0.1:0", receiver.ServeHTTP)
			record := call(t, newCaller(t, following()), caller.Request{Endpoint: strings.TrimSuffix(l.url(), "hook") + "2"})
			assert.Equal(t, wp.Answered, record.Outcome.Result)
			assert.Equal(t, 200, record.Outcome.Status, "the last answer counts")
			assert.Equal(t, 2, record.Redirects())
			for i, r := range receiver.requests {
				assert.Equal(t, http.MethodPost, r.Method)
				assert.Equal(t, string(body), receiver.bodies[i])
				require.NoError(t, wp.Verify(body, r.Header.Get(wp.HeaderSignature), secret), "it stays with its origin")
				assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
				assert.Empty(t, r.Header.Get("Referer"))
			}
		})
		t.Run("WHK-1 the third fails by "+strconv.Itoa(status), func(t *testing.T) {
			receiver := &chain{status: status}
			l := serve(t, "127.0.0.1:0", receiver.ServeHTTP)
			record := call(t, newCaller(t, following()), caller.Request{Endpoint: strings.TrimSuffix(l.url(), "hook") + "3"})
			assert.Equal(t, wp.TooManyRedirects, record.Outcome.Result)
			assert.Len(t, receiver.requests, 3)
		})
	}
	t.Run("WHK-1 a loop ends", func(t *testing.T) {
		requests := 0
		l := serve(t, "127.0.0.1:0", func(w http.ResponseWriter, _ *http.Request) {
			requests++
			w.Header().Set("Location", "/hook")
			w.WriteHeader(http.StatusTemporaryRedirect)
		})
		record := call(t, newCaller(t, following()), caller.Request{Endpoint: l.url()})
		assert.Equal(t, wp.TooManyRedirects, record.Outcome.Result)
		assert.Zero(t, record.Outcome.Status)
		assert.Equal(t, 3, requests)
	})
	t.Run("WHK-1 one that leads nowhere is an answer", func(t *testing.T) {
		l := serve(t, "127.0.0.1:0", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) })
		record := call(t, newCaller(t, following()), caller.Request{Endpoint: l.url()})
		assert.True(t, record.Outcome.Success())
	})
}

// TestCall_RedirectToAnother shows that what proves the sender stays with the
// endpoint, also when a redirect leads back.
func TestCall_RedirectToAnother(t *testing.T) {
	var there, back http.Header
	var gotBody string
	var home *listener
	other := serve(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		there, gotBody = r.Header, string(text)
		w.Header().Set("Location", home.url()+"/back")
		w.WriteHeader(http.StatusFound)
	})
	home = serve(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "back") {
			back = r.Header
			return
		}
		w.Header().Set("Location", other.url())
		w.WriteHeader(http.StatusFound)
	})
	record := call(t, newCaller(t, following()), caller.Request{Endpoint: home.url()})
	assert.True(t, record.Outcome.Success())
	assert.Equal(t, string(body), gotBody)
	for _, header := range []http.Header{there, back} {
		assert.Equal(t, []string{"application/json"}, header["Content-Type"])
		assert.Equal(t, []string{"sluice"}, header["User-Agent"])
		for name := range header {
			assert.False(t, strings.HasPrefix(name, "X-"), name)
		}
	}
}

// TestCall_RedirectRefused shows redirects that must not be followed: to what is
// not public (WHK-12), and to what is no endpoint (SUB-4). Nobody is connected
// to.
func TestCall_RedirectRefused(t *testing.T) {
	inside := serve(t, "127.0.0.1:0", func(http.ResponseWriter, *http.Request) {})
	inside6 := serve(t, "[::1]:0", func(http.ResponseWriter, *http.Request) {})
	receiver := serve(t, "127.0.0.2:0", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", strings.Replace(r.URL.Query().Get("to"), "long", strings.Repeat("long", 256), 1))
		w.WriteHeader(http.StatusPermanentRedirect)
	})
	o := following()
	o.Allow = publicOnly
	o.Resolver = names(func(string) []string { return []string{"127.0.0.1"} })
	c := newCaller(t, o)
	port := ":" + inside.port()
	for name, to := range map[string]string{
		"WHK-12 loopback":              "http://127.0.0.1" + port,
		"WHK-12 loopback in IPv6":      "http://[::1]:" + inside6.port(),
		"WHK-12 without a scheme":      "//127.0.0.1" + port,
		"WHK-12 metadata":              "http://169.254.169.254/latest/meta-data/",
		"WHK-12 mapped":                "http://[::ffff:127.0.0.1]" + port,
		"WHK-12 mapped in hexadecimal": "http://[::ffff:7f00:1]" + port,
		"WHK-12 compatible":            "http://[::127.0.0.1]" + port,
		"WHK-12 NAT64":                 "http://[64:ff9b::7f00:1]" + port,
		"WHK-12 local NAT64":           "http://[64:ff9b:1::7f00:1]" + port,
		"WHK-12 6to4":                  "http://[2002:7f00:1::]" + port,
		"WHK-12 Teredo":                "http://[2001:0:7f00:1::]" + port,
		"WHK-12 with a zone":           "http://[fe80::1%25lo]" + port,
		"WHK-12 a number":              "http://2130706433" + port,
		"WHK-12 hexadecimal":           "http://0x7f.1" + port,
		"WHK-12 octal":                 "http://0177.0.0.1" + port,
		"WHK-12 short":                 "http://127.1" + port,
		"WHK-12 with a last dot":       "http://127.0.0.1." + port,
		"WHK-12 wide digits":           "http://１２７.0.0.１" + port,
		"WHK-12 localhost":             "http://localhost" + port,
		"WHK-12 a name":                "http://inside.test" + port,
		"WHK-12 this host":             "http://0.0.0.0" + port,
		"SUB-4 a password":             "http://user:password@127.0.0.2/",
		"SUB-4 a fragment":             "/hook#fragment",
		"SUB-4 another scheme":         "file:///etc/passwd",
		"SUB-4 no URL":                 "http://%zz/",
		"SUB-4 no host":                "http:///hook",
		"SUB-4 too long":               "/long",
	} {
		t.Run(name, func(t *testing.T) {
			record := call(t, c, caller.Request{Endpoint: receiver.url() + "?to=" + escape(to)})
			assert.Equal(t, wp.AddressRefused, record.Outcome.Result, record)
			assert.False(t, record.Outcome.Success())
			assert.Zero(t, record.Outcome.Status)
			assert.Zero(t, inside.accepted.Load()+inside6.accepted.Load(), "somebody was connected to")
		})
	}
}

// escape makes every byte one of a query.
func escape(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		b.WriteString("%" + strings.ToUpper(strconv.FormatInt(int64(c)+0x100, 16)[1:]))
	}
	return b.String()
}

// TestCall_RedirectFromTLS shows that no redirect leads from https to http, even
// where http is allowed (SUB-4).
func TestCall_RedirectFromTLS(t *testing.T) {
	open := serve(t, "127.0.0.1:0", func(http.ResponseWriter, *http.Request) {})
	s, _, o := secure(t, true, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", open.url())
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	o.PlainHTTP, o.Policy.MaxRedirects = true, 2
	record := call(t, newCaller(t, o), caller.Request{Endpoint: s.URL})
	assert.Equal(t, wp.AddressRefused, record.Outcome.Result)
	assert.Zero(t, open.accepted.Load())
}
