package caller

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	wp "github.com/sluicego/sluice/webhookpolicy"
)

// TestClassify shows what errors of the network mean, bare and as packages wrap
// them.
func TestClassify(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	system := func(err error) error { return dial(os.NewSyscallError("connect", err)) }
	for _, test := range []struct {
		err  error
		want wp.Result
	}{
		{context.DeadlineExceeded, wp.TimedOut},
		{dial(os.ErrDeadlineExceeded), wp.TimedOut},
		{system(syscall.ETIMEDOUT), wp.TimedOut},
		{dial(&net.DNSError{IsTimeout: true}), wp.TimedOut},
		{&handshakeError{os.ErrDeadlineExceeded}, wp.TimedOut},
		{system(syscall.ECONNREFUSED), wp.ConnectionRefused},
		{system(syscall.ENETUNREACH), wp.ConnectionFailed},
		{system(syscall.EHOSTUNREACH), wp.ConnectionFailed},
		{system(syscall.EMFILE), wp.ConnectionFailed},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, wp.ConnectionFailed},
		{io.EOF, wp.ConnectionFailed},
		{io.ErrUnexpectedEOF, wp.ConnectionFailed},
		{errors.New("net/http: server response headers exceeded 65536 bytes; aborted"), wp.ConnectionFailed},
		{dial(&net.DNSError{IsNotFound: true}), wp.DNSFailed},
		{dial(&net.DNSError{IsTemporary: true}), wp.DNSFailed},
		{dial(&net.AddrError{Err: "no suitable address"}), wp.DNSFailed},
		{&handshakeError{io.EOF}, wp.TLSFailed},
		{&handshakeError{syscall.ECONNRESET}, wp.TLSFailed},
		{tls.RecordHeaderError{}, wp.TLSFailed},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, wp.TLSFailed},
		{&net.OpError{Op: "remote error", Err: errors.New("tls: certificate required")}, wp.TLSFailed},
		{&refusedError{"it is loopback"}, wp.AddressRefused},
		{&net.OpError{Op: "proxyconnect", Err: system(syscall.ECONNREFUSED)}, wp.ConnectionFailed},
		{&net.OpError{Op: "proxyconnect", Err: dial(&net.DNSError{IsNotFound: true})}, wp.ConnectionFailed},
		{&net.OpError{Op: "proxyconnect", Err: &refusedError{"it is loopback"}}, wp.AddressRefused},
	} {
		assert.Equal(t, test.want, classify(t.Context(), test.err), "%v", test.err)
		assert.Equal(t, test.want, classify(t.Context(), fmt.Errorf("wrapped: %w", test.err)), "%v", test.err)
		over, cancel := context.WithTimeout(t.Context(), -1)
		assert.Equal(t, wp.TimedOut, classify(over, test.err), "after the deadline: %v", test.err)
		cancel()
	}
}

// TestDetail shows that what strangers write stays on one line, and short.
func TestDetail(t *testing.T) {
	assert.Equal(t, "a b  c d", detail("a\nb\r\nc\x00d"))
	assert.Equal(t, "a b", detail("a\u2028b"))
	assert.LessOrEqual(t, len(detail(strings.Repeat("é", 1000)+"\xff")), maxDetailBytes+1)
	assert.Equal(t, "?", detail("\xff\xfe"))
}

// TestSameOrigin shows to whom a redirect may take what proves the sender.
func TestSameOrigin(t *testing.T) {
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{"https://a.test/x", "https://a.test/y?z", true},
		{"https://a.test", "https://A.test:443", true},
		{"http://a.test", "http://a.test:80", true},
		{"http://a.test:8080", "https://a.test:8080", false},
		{"https://a.test", "https://a.test:8443", false},
		{"https://a.test", "https://b.a.test", false},
		{"http://a.test:443", "https://a.test", false},
	} {
		a, err := url.Parse(test.a)
		require.NoError(t, err)
		b, err := url.Parse(test.b)
		require.NoError(t, err)
		assert.Equal(t, test.same, sameOrigin(a, b), "%s %s", a, b)
		assert.Equal(t, test.same, sameOrigin(b, a), "%s %s", b, a)
	}
}
