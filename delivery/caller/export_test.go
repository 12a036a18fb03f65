package caller

import (
	"context"
	"net"
	"net/netip"
)

// WithDial replaces how connections without TLS are made, guard and all, before
// the first call. It is for receivers at the end of a pipe, and for twins.
func (c *Caller) WithDial(dial func(ctx context.Context, network, address string) (net.Conn, error)) *Caller {
	c.transport.DialContext = dial
	return c
}

// Connects says whether the guard lets a connection through.
func (c *Caller) Connects(to netip.AddrPort) error {
	network := "tcp6"
	if to.Addr().Is4() {
		network = "tcp4"
	}
	return c.guard.connect(network, to.String())
}

// Names says whether the guard lets the host of a URL through.
func (c *Caller) Names(host string) error { return c.guard.host(host) }

// Bounds of an answer.
const (
	MaxHeaderBytes = maxHeaderBytes
	DrainBytes     = drainBytes
	DrainTime      = drainTime
)
