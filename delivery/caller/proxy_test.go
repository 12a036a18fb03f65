package caller_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery/caller"
	wp "github.com/sluicego/sluice/webhookpolicy"
)

// TestCall_Proxy shows that the environment's proxies are passed over unless
// they are asked for, and that none gets to see an address (WHK-12).
func TestCall_Proxy(t *testing.T) {
	proxy := serve(t, "127.0.0.1:0", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	receiver := serve(t, "127.0.0.2:0", func(http.ResponseWriter, *http.Request) {})
	t.Setenv("HTTP_PROXY", "http://"+proxy.Addr().String())
	t.Setenv("http_proxy", "http://"+proxy.Addr().String())
	t.Setenv("NO_PROXY", "")
	t.Setenv("no_proxy", "")
	o := plain()
	o.Resolver = names(func(string) []string { return []string{"127.0.0.2"} })
	endpoint := caller.Request{Endpoint: "http://receiver.test:" + receiver.port()}

	record := call(t, newCaller(t, o), endpoint)
	assert.Equal(t, 200, record.Outcome.Status)
	assert.Zero(t, proxy.accepted.Load())

	// As http.ProxyFromEnvironment does, which asks once in a process.
	o.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(os.Getenv("HTTP_PROXY")) }
	record = call(t, newCaller(t, o), endpoint)
	assert.Equal(t, http.StatusTeapot, record.Outcome.Status)
	assert.EqualValues(t, 1, proxy.accepted.Load())

	o.Allow = prefixes("127.0.0.1/32") // the proxy alone
	for _, host := range []string{"127.0.0.2", "2130706434", "0x7f.2", "[::ffff:127.0.0.2]"} {
		record = call(t, newCaller(t, o), caller.Request{Endpoint: "http://" + host + ":" + receiver.port()})
		assert.Equal(t, wp.AddressRefused, record.Outcome.Result, host)
	}
	assert.EqualValues(t, 1, proxy.accepted.Load())
	assert.EqualValues(t, 1, receiver.accepted.Load())
}

// TestCall_ProxyOfTLS shows calls through a proxy by CONNECT, whose ends are told
// apart from those of the endpoint, within the time-out.
func TestCall_ProxyOfTLS(t *testing.T) {
	s, _, o := secure(t, true, func(http.ResponseWriter, *http.Request) {})
	tunnel := func(conn *net.TCPConn) {
		r, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", r.Host)
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		go func() {
			_, _ = io.Copy(to, conn)
			_ = to.Close()
		}()
		_, _ = io.Copy(conn, to)
	}
	for name, test := range map[string]struct {
		proxy  func(conn *net.TCPConn)
		trusts bool
		result wp.Result
	}{
		"a tunnel":                          {tunnel, true, wp.Answered},
		"a certificate of somebody unknown": {tunnel, false, wp.TLSFailed},
		"no tunnel": {func(c *net.TCPConn) {
			readRequest(c)
			_, _ = io.WriteString(c, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
		}, true, wp.ConnectionFailed},
		"no answer": {func(c *net.TCPConn) { hold(c) }, true, wp.TimedOut},
		"a tunnel to nothing": {func(c *net.TCPConn) {
			readRequest(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
			hold(c)
		}, true, wp.TimedOut},
	} {
		t.Run(name, func(t *testing.T) {
			l := raw(t, test.proxy)
			o := o
			o.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: l.Addr().String(), User: url.UserPassword("host", "hunter2")})
			if !test.trusts {
				o.TLS = nil
			}
			record := hostile(t, o, s.URL)
			assert.Equal(t, test.result, record.Outcome.Result, record)
			assert.NotContains(t, record.String(), "hunter2")
			assert.EqualValues(t, 1, l.accepted.Load())
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		l := listen(t, "127.0.0.1:0")
		require.NoError(t, l.Close())
		o := o
		o.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: l.Addr().String()})
		assert.Equal(t, wp.ConnectionFailed, hostile(t, o, s.URL).Outcome.Result)
	})
	t.Run("WHK-12 at an address that is not public", func(t *testing.T) {
		l := raw(t, tunnel)
		o := o
		o.Allow = nil
		o.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: l.Addr().String()})
		o.Resolver = names(func(string) []string { return []string{"127.0.0.1"} })
		assert.Equal(t, wp.AddressRefused, hostile(t, o, "https://receiver.test/").Outcome.Result)
		assert.Zero(t, l.accepted.Load())
	})
}

// TestCall_NothingGoesOn shows that what a call was waiting for ends with it: a
// lookup, a handshake, and one through a proxy.
func TestCall_NothingGoesOn(t *testing.T) {
	// gone expects a call to time out, and what it left behind to end.
	gone := func(t *testing.T, o caller.Options, endpoint string, ended <-chan struct{}) {
		t.Helper()
		assert.Equal(t, wp.TimedOut, hostile(t, o, endpoint).Outcome.Result)
		select {
		case <-ended:
		case <-time.After(2 * time.Second):
			t.Error("something goes on")
		}
	}
	for _, scheme := range []string{"http", "https"} {
		t.Run("a lookup for "+scheme, func(t *testing.T) {
			ended := make(chan struct{}, 10)
			o := plain()
			o.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				ended <- struct{}{}
				return nil, ctx.Err()
			}}
			gone(t, o, scheme+"://never.test/", ended)
		})
	}
	holding := func(t *testing.T, before func(conn *net.TCPConn)) (*listener, <-chan struct{}) {
		ended := make(chan struct{}, 1)
		return raw(t, func(c *net.TCPConn) {
			before(c)
			hold(c)
			ended <- struct{}{}
		}), ended
	}
	t.Run("a handshake", func(t *testing.T) {
		l, ended := holding(t, func(*net.TCPConn) {})
		gone(t, plain(), strings.Replace(l.url(), "http:", "https:", 1), ended)
	})
	t.Run("a handshake through a proxy", func(t *testing.T) {
		l, ended := holding(t, func(c *net.TCPConn) {
			readRequest(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		})
		o := plain()
		o.Policy.FirstTimeout, o.Policy.RetryTimeout = short, short
		o.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: l.Addr().String()})
		gone(t, o, "https://receiver.test/", ended)
	})
}
