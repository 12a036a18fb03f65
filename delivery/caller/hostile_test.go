package caller_test

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery/caller"
	wp "github.com/sluicego/sluice/webhookpolicy"
)

// short is the time-out of calls that are to run into it.
const short = 250 * time.Millisecond

// allocated returns how many bytes were ever allocated: what was allocated since
// bounds what the heap has grown by at any time between.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// hostile calls a receiver, and fails if that takes longer than the time-out and
// 100 ms, or memory of 64 MiB, the receiver's included.
func hostile(t *testing.T, o caller.Options, endpoint string) caller.Record {
	t.Helper()
	c := newCaller(t, o)
	before, began := allocated(), time.Now()
	record := call(t, c, caller.Request{Endpoint: endpoint, Timeout: short})
	within(t, began, short)
	assert.Less(t, allocated()-before, uint64(64<<20), "bytes allocated")
	return record
}

// forever writes a text until the other side closes.
func forever(conn io.Writer, text string) {
	chunk := []byte(strings.Repeat(text, max(1, (32<<10)/len(text))))
	for {
		if _, err := conn.Write(chunk); err != nil {
			return
		}
	}
}

// dripping writes a text byte by byte, one at each tick.
func dripping(conn io.Writer, text string, each time.Duration) {
	ticker := time.NewTicker(each)
	defer ticker.Stop()
	for _, c := range []byte(text) {
		if _, err := conn.Write([]byte{c}); err != nil {
			return
		}
		<-ticker.C
	}
}

// TestCall_Hostile shows how calls of receivers end that are slow, broken or
// hostile. All have read the request before, unless they say otherwise.
func TestCall_Hostile(t *testing.T) {
	const headers = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
	for name, test := range map[string]struct {
		receiver func(conn *net.TCPConn)
		result   wp.Result
		cut      caller.Cut
	}{
		"WHK-2 never answers": {func(c *net.TCPConn) { readRequest(c); hold(c) }, wp.TimedOut, 0},
		"WHK-2 one byte of the headers at a time": {func(c *net.TCPConn) {
			readRequest(c)
			dripping(c, headers, 20*time.Millisecond)
		}, wp.TimedOut, 0},
		"WHK-1 one byte of the body at a time": {func(c *net.TCPConn) {
			readRequest(c)
			_, _ = io.WriteString(c, headers)
			dripping(c, headers, 20*time.Millisecond)
		}, wp.Answered, caller.CutTime},
		"WHK-1 hangs in the body": {func(c *net.TCPConn) {
			readRequest(c)
			_, _ = io.WriteString(c, headers+"beginning")
			hold(c)
		}, wp.Answered, caller.CutTime},
		"endless headers": {func(c *net.TCPConn) {
			readRequest(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			forever(c, "X-Header: and another one\r\n")
		}, wp.ConnectionFailed, 0},
		"an endless header": {func(c *net.TCPConn) {
			readRequest(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Header: ")
			forever(c, "and on ")
		}, wp.ConnectionFailed, 0},
		"an endless status": {func(c *net.TCPConn) { readRequest(c); forever(c, "H") }, wp.ConnectionFailed, 0},
		"endless interim answers": {func(c *net.TCPConn) {
			readRequest(c)
			forever(c, "HTTP/1.1 103 Early Hints\r\n\r\n")
		}, wp.ConnectionFailed, 0},
		"WHK-13 an endless body": {func(c *net.TCPConn) {
			readRequest(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
			forever(c, "and on ")
		}, wp.BodyTooLong, caller.CutLength},
		"WHK-13 a body of 1 GiB": {func(c *net.TCPConn) {
			readRequest(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
			forever(c, "and on ")
		}, wp.BodyTooLong, caller.CutLength},
		"an endless length of a chunk": {func(c *net.TCPConn) {
			readRequest(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;")
			forever(c, "extension")
		}, wp.Answered, caller.CutBroken},
		"endless trailers": {func(c *net.TCPConn) {
			readRequest(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n")
			forever(c, "X-Trailer: and another one\r\n")
		}, wp.Answered, caller.CutBroken},
		"switches protocols": {func(c *net.TCPConn) {
			readRequest(c)
			_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
			hold(c)
		}, wp.Answered, caller.CutNot},
		"resets before the request": {reset, wp.ConnectionFailed, 0},
		"resets after the request":  {func(c *net.TCPConn) { readRequest(c); reset(c) }, wp.ConnectionFailed, 0},
		"resets within the headers": {func(c *net.TCPConn) {
			readRequest(c)
			_, _ = io.WriteString(c, headers[:25])
			reset(c)
		}, wp.ConnectionFailed, 0},
		"closes after the request": {func(c *net.TCPConn) { readRequest(c) }, wp.ConnectionFailed, 0},
		"WHK-1 closes within the body": {func(c *net.TCPConn) {
			readRequest(c)
			_, _ = io.WriteString(c, headers+"beginning")
		}, wp.Answered, caller.CutBroken},
		"speaks no HTTP":    {func(c *net.TCPConn) { readRequest(c); _, _ = io.WriteString(c, "SSH-2.0-x\r\n") }, wp.ConnectionFailed, 0},
		"a status of zeros": {func(c *net.TCPConn) { readRequest(c); _, _ = io.WriteString(c, "HTTP/1.1 000 x\r\n\r\n") }, wp.ConnectionFailed, 0},
		"answers unasked": {func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			hold(c)
		}, 0, 0},
		"a length of no sum": {func(c *net.TCPConn) {
			readRequest(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")
		}, wp.ConnectionFailed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			record := hostile(t, plain(), raw(t, test.receiver).url())
			if test.result != 0 { // which of the two depends on who is faster
				assert.Equal(t, test.result, record.Outcome.Result, record)
			}
			assert.Equal(t, test.cut, record.Cut, record)
			assert.LessOrEqual(t, len(record.Body), wp.DefaultPolicy().MaxAnswerBytes)
			assert.LessOrEqual(t, len(record.Detail), 512)
		})
	}
}

// TestCall_ResetWithinBody stands alone since a reset takes away what has arrived
// and was not read. When the receiver has written more than sockets hold, the
// headers were read.
func TestCall_ResetWithinBody(t *testing.T) {
	l := raw(t, func(c *net.TCPConn) {
		readRequest(c)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n")
		_, _ = c.Write(make([]byte, 32<<20))
		reset(c)
	})
	o := plain()
	o.Policy.MaxAnswerBytes = 64 << 20
	record, err := newCaller(t, o).Call(t.Context(), caller.Request{
		Endpoint: l.url(), Body: body, Secret: secret, Timeout: 10 * time.Second,
	})
	require.NoError(t, err)
	assert.Equal(t, wp.Answered, record.Outcome.Result)
	assert.Equal(t, caller.CutBroken, record.Cut, record.Detail)
}

// TestCall_NoConnection shows calls that come to no request.
func TestCall_NoConnection(t *testing.T) {
	t.Run("nobody listens", func(t *testing.T) {
		l := listen(t, "127.0.0.1:0")
		require.NoError(t, l.Close())
		record := hostile(t, plain(), l.url())
		assert.Equal(t, wp.ConnectionRefused, record.Outcome.Result)
	})
	t.Run("nobody accepts", func(t *testing.T) {
		record := hostile(t, plain(), listen(t, "127.0.0.1:0").url())
		assert.Equal(t, wp.TimedOut, record.Outcome.Result)
	})
	t.Run("the name is never answered", func(t *testing.T) {
		o := plain()
		never := make(chan struct{})
		defer close(never)
		o.Resolver = names(func(string) []string { <-never; return nil })
		record := hostile(t, o, "http://never.test/")
		assert.Equal(t, wp.TimedOut, record.Outcome.Result)
		assert.Equal(t, "no connection came about in time", record.Detail)
	})
	for name, test := range map[string]struct {
		receiver func(conn *net.TCPConn)
		result   wp.Result
	}{
		"a handshake without an end":  {func(c *net.TCPConn) { hold(c) }, wp.TimedOut},
		"a reset in the handshake":    {func(c *net.TCPConn) { _, _ = c.Read(make([]byte, 1)); reset(c) }, wp.TLSFailed},
		"no TLS at all":               {func(c *net.TCPConn) { forever(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, wp.TLSFailed},
		"a handshake byte for byte":   {func(c *net.TCPConn) { dripping(c, strings.Repeat("\x16", 99), 20*time.Millisecond) }, wp.TLSFailed},
		"records that never end them": {func(c *net.TCPConn) { forever(c, "\x16\x03\x03\x00\x01\x00") }, wp.TLSFailed},
	} {
		t.Run(name, func(t *testing.T) {
			o := plain()
			o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
			record := hostile(t, o, strings.Replace(raw(t, test.receiver).url(), "http:", "https:", 1))
			assert.Equal(t, test.result, record.Outcome.Result, record)
		})
	}
}

// bomb compresses a number of MiB of zeros in gzip, member by member.
func bomb(mib int) []byte {
	var one bytes.Buffer
	w := gzip.NewWriter(&one)
	_, _ = w.Write(make([]byte, 1<<20))
	_ = w.Close()
	return bytes.Repeat(one.Bytes(), mib)
}

// TestCall_Compressed shows that what is compressed is read within the bounds of
// what it is decompressed (WHK-13).
func TestCall_Compressed(t *testing.T) {
	compress := func(text string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = io.WriteString(w, text)
		_ = w.Close()
		return b.String()
	}
	empty := compress("")
	limit := wp.DefaultPolicy().MaxAnswerBytes
	for name, test := range map[string]struct {
		encoding, body string
		bytes          int
		cut            caller.Cut
	}{
		"what is short":             {"gzip", compress("back soon"), 9, caller.CutNot},
		"in capitals":               {" GZip", compress("back soon"), 9, caller.CutNot},
		"nothing":                   {"gzip", "", 0, caller.CutNot},
		"nothing, compressed":       {"gzip", empty, 0, caller.CutNot},
		"as long as is read":        {"gzip", compress(strings.Repeat("a", limit)), limit, caller.CutNot},
		"one byte more":             {"gzip", compress(strings.Repeat("a", limit+1)), limit, caller.CutLength},
		"a bomb of 1 GiB":           {"gzip", string(bomb(1024)), limit, caller.CutLength},
		"a bomb of nothing":         {"gzip", strings.Repeat(empty, 100_000), 0, caller.CutLength},
		"not compressed":            {"gzip", "back soon", 9, caller.CutNot},
		"not to its end":            {"gzip", compress("back soon")[:20], -1, caller.CutBroken},
		"with damage":               {"gzip", "\x1f\x8b damaged from the beginning", 0, caller.CutBroken},
		"by what nobody asked for":  {"br", "whatever", 8, caller.CutNot},
		"not at all, in full":       {"", strings.Repeat("a", limit), limit, caller.CutNot},
		"not at all, one byte more": {"", strings.Repeat("a", limit+1), limit, caller.CutLength},
	} {
		t.Run("WHK-13 "+name, func(t *testing.T) {
			l := serve(t, "127.0.0.1:0", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/plain")
				if test.encoding != "" {
					w.Header().Set("Content-Encoding", test.encoding)
				}
				_, _ = io.WriteString(w, test.body)
			})
			record := hostile(t, plain(), l.url())
			assert.True(t, record.Outcome.Success())
			assert.Equal(t, test.cut == caller.CutLength, record.Outcome.Result == wp.BodyTooLong)
			assert.Equal(t, test.cut.String(), record.Cut.String(), record)
			if test.bytes >= 0 {
				assert.Len(t, record.Body, test.bytes)
			}
		})
	}
	t.Run("WHK-13 nothing is read", func(t *testing.T) {
		o := plain()
		o.Policy.MaxAnswerBytes = 0
		l := serve(t, "127.0.0.1:0", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a") })
		record := hostile(t, o, l.url())
		assert.Equal(t, wp.BodyTooLong, record.Outcome.Result)
		assert.Empty(t, record.Body)
	})
}

// TestCall_HostileHTTP2 shows the same by HTTP/2.
func TestCall_HostileHTTP2(t *testing.T) {
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		result  wp.Result
		cut     caller.Cut
	}{
		"headers beyond all bounds": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Header", strings.Repeat("a", 2*caller.MaxHeaderBytes))
		}, wp.ConnectionFailed, 0},
		"endless interim answers": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Header", strings.Repeat("a", 1000))
			for r.Context().Err() == nil {
				w.WriteHeader(http.StatusEarlyHints)
			}
		}, wp.ConnectionFailed, 0},
		"resets after the request": {func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}, wp.ConnectionFailed, 0},
		"WHK-1 resets within the body": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "beginning")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, wp.Answered, caller.CutBroken},
		"WHK-1 hangs in the body": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "beginning")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, wp.Answered, caller.CutTime},
		"WHK-2 never answers": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, wp.TimedOut, 0},
		"WHK-13 an endless body": {func(w http.ResponseWriter, _ *http.Request) {
			forever(w, "and on ")
		}, wp.BodyTooLong, caller.CutLength},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, o := secure(t, true, test.handler)
			record := hostile(t, o, s.URL)
			assert.Equal(t, test.result, record.Outcome.Result, record)
			assert.Equal(t, test.cut, record.Cut, record)
		})
	}
}

// TestCall_HTTP2Window shows that what is not read is not sent: a stream holds no
// more than some hundred KiB.
func TestCall_HTTP2Window(t *testing.T) {
	sent := make(chan int, 1)
	s, _, o := secure(t, true, func(w http.ResponseWriter, _ *http.Request) {
		n, chunk := 0, make([]byte, 16<<10)
		for {
			written, err := w.Write(chunk)
			n += written
			if err != nil {
				sent <- n
				return
			}
		}
	})
	assert.Equal(t, wp.BodyTooLong, hostile(t, o, s.URL).Outcome.Result)
	assert.Less(t, <-sent, 1<<20)
}

// TestCall_StaleConnection shows that a kept connection that the receiver closes
// as it is used costs no call.
func TestCall_StaleConnection(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	for name, end := range map[string]func(*net.TCPConn){"closed": func(*net.TCPConn) {}, "reset": reset} {
		t.Run(name, func(t *testing.T) {
			l := raw(t, func(c *net.TCPConn) {
				readRequest(c)
				_, _ = io.WriteString(c, answer)
				_, _ = c.Read(make([]byte, 1))
				end(c)
			})
			c := newCaller(t, plain())
			assert.Equal(t, 1, call(t, c, caller.Request{Endpoint: l.url()}).Connections())
			record := call(t, c, caller.Request{Endpoint: l.url()})
			assert.True(t, record.Outcome.Success(), record)
			assert.Equal(t, 1, record.Connections(), "a new one")
			assert.EqualValues(t, 2, l.accepted.Load())
		})
	}
}
