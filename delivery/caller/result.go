package caller

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"syscall"

	"github.com/sluicego/sluice/webhookpolicy"
)

// classify says which result an error of a request is. The call's own context
// goes first: once the deadline has passed, connections are torn down, and what
// that looks like is not why the call ended.
func classify(call context.Context, err error) webhookpolicy.Result {
	var refused *refusedError
	var timeout interface{ Timeout() bool }
	switch {
	case call.Err() != nil || errors.Is(err, context.DeadlineExceeded):
		return webhookpolicy.TimedOut
	case errors.As(err, &refused):
		return webhookpolicy.AddressRefused
	// A resolver or a system that gave up by itself (WHK-2: any deadline).
	case errors.As(err, &timeout) && timeout.Timeout():
		return webhookpolicy.TimedOut
	case ofProxy(err):
		return webhookpolicy.ConnectionFailed
	case ofTLS(err):
		return webhookpolicy.TLSFailed
	case ofDNS(err):
		return webhookpolicy.DNSFailed
	case errors.Is(err, syscall.ECONNREFUSED):
		return webhookpolicy.ConnectionRefused
	default:
		return webhookpolicy.ConnectionFailed
	}
}

// ofProxy reports whether the proxy, not the endpoint, could not be reached.
func ofProxy(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "proxyconnect"
}

// ofTLS reports whether TLS failed. Alerts may come after the handshake, as for a
// client certificate that a server misses by TLS 1.3; their type is not exported,
// and what package tls calls the operation is all there is to know them by.
// Handshakes through a proxy are not ours to wrap.
func ofTLS(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "remote error" || op.Op == "local error") {
		return true
	}
	_, handshake := errors.AsType[*handshakeError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	return handshake || record || certificate
}

// ofDNS reports whether the name has no address, or none of a family that is
// connected to.
func ofDNS(err error) bool {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	_, ok := errors.AsType[*net.AddrError](err)
	return ok
}
