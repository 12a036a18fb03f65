package delivery_test

import (
	"bytes"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// cable is the way to a server, as a TCP proxy, which can be cut once.
type cable struct {
	url    string
	silent chan struct{} // closed when nothing gets through any more
	closed chan struct{} // to be closed to have its connections closed, on both sides
	healed chan struct{} // to be closed to let new ones through
	server func() (net.Conn, error)

	// trap is a text. When the server answers it, nothing gets through any more.
	trap atomic.Pointer[string]
	once sync.Once
}

// lay lays a cable to the server of a URL.
func lay(t *testing.T, server string) *cable {
	t.Helper()
	config, err := pgconn.ParseConfig(server)
	require.NoError(t, err)
	network, address := pgconn.NetworkAddress(config.Host, config.Port)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, listener.Close()) })
	u, err := url.Parse(server)
	require.NoError(t, err)
	q := u.Query()
	q.Del("host")
	q.Del("port")
	q.Set("sslmode", "disable")
	u.Host, u.RawQuery = listener.Addr().String(), q.Encode()
	c := &cable{
		url: u.String(), silent: make(chan struct{}), closed: make(chan struct{}), healed: make(chan struct{}),
		server: func() (net.Conn, error) { return net.Dial(network, address) },
	}
	go c.serve(listener, c.silent)
	return c
}

func is(closed chan struct{}) bool {
	select {
	case <-closed:
		return true
	default:
		return false
	}
}

func (c *cable) serve(listener net.Listener, silent chan struct{}) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		switch {
		case is(c.healed):
			go c.connect(client, nil, nil)
		case is(silent):
			go func() { // nobody answers
				<-c.closed
				_ = client.Close()
			}()
		default:
			go c.connect(client, silent, c.closed)
		}
	}
}

// connect passes on what a connection carries, for as long as it may.
func (c *cable) connect(client net.Conn, silent, closed chan struct{}) {
	server, err := c.server()
	if err != nil {
		_ = client.Close()
		return
	}
	ended := make(chan struct{}, 2)
	var asked atomic.Bool
	carry := func(from, to net.Conn, see func(b []byte)) {
		b := make([]byte, 64<<10)
		for {
			n, err := from.Read(b)
			if silent != nil {
				see(b[:n])
			}
			if is(silent) {
				<-closed
			} else if err == nil {
				_, err = to.Write(b[:n])
			}
			if err != nil {
				ended <- struct{}{}
				return
			}
		}
	}
	go carry(client, server, func(b []byte) {
		if trap := c.trap.Load(); trap != nil && bytes.Contains(b, []byte(*trap)) {
			asked.Store(true)
		}
	})
	go carry(server, client, func(b []byte) {
		if len(b) > 0 && asked.Load() {
			c.once.Do(func() { close(silent) })
		}
	})
	select {
	case <-ended:
	case <-closed:
	}
	_, _ = client.Close(), server.Close()
}
