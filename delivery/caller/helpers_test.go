package caller_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/webhookpolicy"
)

const key = "0123456789abcdef0123456789abcdef"

var (
	secret = webhookpolicy.NewSecret(key)
	body   = []byte(`{"event_id":"8f14e45f","data":{"name":"é"}}`)

	// Of the loopback addresses, the second stands for the public ones, and the
	// first for those of the host's own network.
	publicOnly = []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}
	loopback   = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
)

// plain are the options for receivers without TLS on any loopback address.
func plain() caller.Options {
	return caller.Options{Policy: webhookpolicy.DefaultPolicy(), Allow: loopback, PlainHTTP: true}
}

func newCaller(t testing.TB, o caller.Options) *caller.Caller {
	t.Helper()
	c, err := caller.New(o)
	require.NoError(t, err)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// call makes a call that has an outcome, and looks into all that there is of it
// for the key.
func call(t testing.TB, c *caller.Caller, r caller.Request) caller.Record {
	t.Helper()
	if r.Body == nil {
		r.Body = body
	}
	r.Secret = secret
	record, err := c.Call(t.Context(), r)
	require.NoError(t, err)
	text, err := json.Marshal(record)
	require.NoError(t, err)
	for _, shown := range []string{string(text), fmt.Sprintf("%+v %#v %s", record, record, record)} {
		assert.NotContains(t, shown, key)
	}
	require.False(t, record.Outcome.Began.IsZero())
	require.False(t, record.Outcome.Ended.Before(record.Outcome.Began))
	return record
}

// quiet is the log of servers whose clients go away.
var quiet = log.New(io.Discard, "", 0)

// listener counts who connects.
type listener struct {
	net.Listener
	accepted atomic.Int32
}

func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.accepted.Add(1)
	}
	return conn, err
}

// listen opens a port on a loopback address.
func listen(t testing.TB, address string) *listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return &listener{Listener: l}
}

// url is the endpoint of a listener.
func (l *listener) url() string { return "http://" + l.Addr().String() + "/hook" }

func (l *listener) port() string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// serve answers by a handler at an address.
func serve(t testing.TB, address string, handler http.HandlerFunc) *listener {
	t.Helper()
	l := listen(t, address)
	s := httptest.NewUnstartedServer(handler)
	_ = s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return l
}

// raw answers without HTTP: each connection is given to a function, which is to
// return once it is closed.
func raw(t testing.TB, answer func(conn *net.TCPConn)) *listener {
	t.Helper()
	l := listen(t, "127.0.0.1:0")
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				answer(conn.(*net.TCPConn))
				_ = conn.Close()
			}()
		}
	}()
	return l
}

// readRequest reads one request from a connection, with its body.
func readRequest(conn io.Reader) {
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err == nil {
		_, _ = io.Copy(io.Discard, request.Body)
	}
}

// reset closes a connection so that the other side sees a reset.
func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}

// hold reads until the other side closes.
func hold(conn io.Reader) { _, _ = io.Copy(io.Discard, conn) }

// names is a resolver that asks a function for the IPv4 addresses of a name, once
// for each lookup. The IPv6 addresses are always the same.
func names(lookup func(name string) []string, six ...string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer func() { _ = server.Close() }()
			var length uint16
			for binary.Read(server, binary.BigEndian, &length) == nil {
				query := make([]byte, length)
				if _, err := io.ReadFull(server, query); err != nil {
					return
				}
				answer := resolve(query, lookup, six)
				_, _ = server.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
			}
		}()
		return client, nil
	}}
}

// resolve answers one query, for A or AAAA.
func resolve(query []byte, lookup func(name string) []string, six []string) []byte {
	var labels []string
	end := 12
	for query[end] != 0 {
		n := int(query[end])
		labels = append(labels, string(query[end+1:end+1+n]))
		end += n + 1
	}
	kind := binary.BigEndian.Uint16(query[end+1:])
	question := query[12 : end+5]
	addresses := six
	if kind == 1 {
		addresses = lookup(strings.Join(labels, "."))
	}
	var records []byte
	for _, text := range addresses {
		address := netip.MustParseAddr(text).AsSlice()
		records = append(records, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(len(address)))
		records = append(records, address...)
	}
	answer := append([]byte{}, query[:2]...)
	if addresses != nil || len(six) == 0 && kind != 1 {
		answer = append(answer, 0x81, 0x80)
	} else {
		answer = append(answer, 0x81, 0x83) // no such name
	}
	answer = append(answer, 0, 1)
	answer = binary.BigEndian.AppendUint16(answer, uint16(len(addresses)))
	answer = append(answer, 0, 0, 0, 0)
	return append(append(answer, question...), records...)
}

// within fails if a call took longer than its time-out and some.
func within(t testing.TB, began time.Time, timeout time.Duration) {
	t.Helper()
	assert.Less(t, time.Since(began), timeout+100*time.Millisecond)
}
