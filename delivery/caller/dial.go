package caller

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
)

// dialer makes connections to what the guard lets through.
type dialer struct {
	guard    *guard
	tls      *tls.Config
	resolver *net.Resolver
}

// callKey is under which the context of a call has the call itself.
type callKey struct{}

// ofCall returns the context of the call that a connection is made for. That of
// the transport goes on after the request has ended, in case somebody else has a
// use for the connection; a receiver that does not answer would gather attempts.
func ofCall(ctx context.Context) context.Context {
	if call, ok := ctx.Value(callKey{}).(context.Context); ok {
		return call
	}
	return ctx
}

// dial connects without TLS.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	return d.connect(ofCall(ctx), network, address)
}

// connect looks up the name and tries its addresses, as net.Dialer does. The
// guard is asked for each by Control, between the lookup and the connection. If
// none could be used and one was refused, that is what the error says.
func (d *dialer) connect(ctx context.Context, network, address string) (net.Conn, error) {
	var refused atomic.Pointer[error]
	nd := net.Dialer{Resolver: d.resolver, Control: func(network, address string, _ syscall.RawConn) error {
		err := d.guard.connect(network, address)
		if err != nil {
			refused.CompareAndSwap(nil, &err)
		}
		return err
	}}
	conn, err := nd.DialContext(ctx, network, address)
	if err != nil {
		if first := refused.Load(); first != nil && ctx.Err() == nil {
			return nil, *first
		}
		return nil, err
	}
	return conn, nil
}

// handshakeError says that a connection came about, and TLS did not.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string { return e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }

// dialTLS connects and shakes hands.
func (d *dialer) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	ctx = ofCall(ctx)
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("caller: address: %w", err)
	}
	conn, err := d.connect(ctx, network, address)
	if err != nil {
		return nil, err
	}
	config := d.tls
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName = host
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // there is nothing left to say to it
		return nil, &handshakeError{err}
	}
	return secure, nil
}
