package caller

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	wp "github.com/sluicego/sluice/webhookpolicy"
)

// FuzzFollow shows that no Location leads to what is no endpoint, or makes a
// request that cannot be built.
func FuzzFollow(f *testing.F) {
	for _, seed := range []string{
		"/elsewhere", "https://example.com:8443/", "//other.test", "http://example.com/", "?a", "https://user@a/",
		"https:opaque", "https://[::1]/", "https://%zz/", "/#", "https://a:0/", "\x00", "https://１２７.1/",
	} {
		f.Add("https://example.com/webhooks", seed)
	}
	f.Fuzz(func(t *testing.T, endpoint, location string) {
		from, reason := targets{}.parse(endpoint)
		if reason != "" {
			return
		}
		require.Equal(t, "https", from.Scheme)
		to, reason := targets{}.follow(from, location)
		if reason != "" {
			return
		}
		assert.Equal(t, "https", to.Scheme)
		assert.NotEmpty(t, to.Hostname())
		assert.Nil(t, to.User)
		assert.Empty(t, to.Fragment)
		assert.LessOrEqual(t, len([]rune(to.String())), wp.MaxEndpoint)
		again, err := url.Parse(to.String())
		require.NoError(t, err, "a request could not be made of it")
		assert.Equal(t, to.Hostname(), again.Hostname(), "what is checked is what is called")
	})
}

// FuzzHost shows that what the system's own reader takes for an address is let
// through in its usual form alone.
func FuzzHost(f *testing.F) {
	for _, seed := range []string{"127.0.0.1", "127.1", "0x7f.1", "2130706433", "example.com", "::1", "1.1.1.1.", "１"} {
		f.Add(seed)
	}
	g, err := newGuard(nil, nil, nil)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, name string) {
		if g.host(name) != nil {
			return
		}
		addr, err := netip.ParseAddr(name)
		if err == nil {
			assert.NoError(t, g.connect(family(addr), net.JoinHostPort(name, "443")))
			return
		}
		last := lastLabel(name)
		assert.False(t, last != "" && strings.Trim(last, "0123456789") == "", "a number")
	})
}

func family(addr netip.Addr) string {
	if addr.Is4() {
		return "tcp4"
	}
	return "tcp6"
}

// FuzzReadBody shows that no body of an answer, compressed or not, is read beyond
// the limit, and that what is read of one in full is what it decompresses to.
func FuzzReadBody(f *testing.F) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(make([]byte, 5000))
	_ = w.Close()
	f.Add("gzip", b.Bytes())
	f.Add("gzip", b.Bytes()[:15])
	f.Add("gzip", []byte("plain"))
	f.Add("", []byte("plain"))
	const limit = 1000
	f.Fuzz(func(t *testing.T, encoding string, content []byte) {
		answer := &http.Response{
			Header: http.Header{"Content-Encoding": {encoding}},
			Body:   io.NopCloser(bytes.NewReader(content)),
		}
		got, cut, err := readBody(t.Context(), answer, limit)
		assert.LessOrEqual(t, len(got), limit)
		assert.Equal(t, cut == CutNot, err == nil)
		if encoding == "" {
			assert.Equal(t, len(content) > limit, cut == CutLength)
			assert.True(t, bytes.HasPrefix(content, got))
		}
	})
}
