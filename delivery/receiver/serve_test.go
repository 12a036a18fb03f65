package receiver_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/webhookpolicy"
)

// quiet is the log of servers whose clients go away.
var quiet = log.New(io.Discard, "", 0)

// head returns the beginning of a call as it goes over the wire.
func head(t *testing.T, method string, body []byte, length string) string {
	t.Helper()
	h := call(t, body, secret).Header
	return fmt.Sprintf("%s /webhooks HTTP/1.1\r\nHost: host\r\n%s\r\n%s: %s\r\n%s: %s\r\n\r\n", method, length,
		webhookpolicy.HeaderSignature, h.Get(webhookpolicy.HeaderSignature),
		webhookpolicy.HeaderIssuedAt, h.Get(webhookpolicy.HeaderIssuedAt))
}

// send writes to a connection, which takes nothing any more once the server has
// had enough.
func send(conn net.Conn, texts ...string) {
	for _, text := range texts {
		_, _ = io.WriteString(conn, text)
	}
}

// status reads the status of an answer.
func status(t *testing.T, conn net.Conn) int {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

// A sender that is slow holds nothing for longer than the time-out, however it is
// slow.
func TestHandler_slowBody(t *testing.T) {
	text := body(t, "e", "failed")
	length := fmt.Sprintf("Content-Length: %d", len(text))
	trickle := func(conn net.Conn) {
		for _, b := range text {
			time.Sleep(time.Second) // of the bubble
			if _, err := conn.Write([]byte{b}); err != nil {
				return
			}
		}
	}
	for name, tt := range map[string]struct {
		method, length string
		send           func(net.Conn)
		want           int
	}{
		"nothing of it":        {"POST", length, func(net.Conn) {}, 408},
		"half of it":           {"POST", length, func(c net.Conn) { send(c, string(text[:10])) }, 408},
		"a byte each second":   {"POST", length, trickle, 408},
		"chunks":               {"POST", "Transfer-Encoding: chunked", func(c net.Conn) { send(c, "5\r\n{\"eve\r\n") }, 408},
		"of what is no POST":   {"PUT", length, func(net.Conn) {}, 405},
		"of what is too large": {"POST", "Content-Length: 99999999", func(net.Conn) {}, 413},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inbox := &receiver.Memory{}
				dial := serve(t, handler(t, options(inbox)))
				began, conn := time.Now(), dial()
				begin := head(t, tt.method, text, tt.length)
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					send(conn, begin)
					tt.send(conn)
				}()
				assert.Equal(t, tt.want, status(t, conn))
				assert.LessOrEqual(t, time.Since(began), 10*time.Second)
				// Nothing more is read.
				_, err := io.Copy(io.Discard, conn)
				require.NoError(t, err)
				assert.Less(t, time.Since(began), 11*time.Second)
				require.NoError(t, conn.Close())
				<-sent
				assert.Empty(t, open(t, inbox))
			})
		})
	}
}

// The time-out of the body is none of the answer, or of the next call.
func TestHandler_slowInbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inbox := &receiver.Memory{}
		o := options(&faulty{Inbox: inbox, keep: func(ctx context.Context) error {
			time.Sleep(time.Minute) // of the bubble
			return ctx.Err()
		}})
		o.KeepTimeout = time.Hour
		h := handler(t, o)
		hungUp := false
		dial := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(w, r)
			hungUp = hungUp || r.Context().Err() != nil
		}))
		conn := dial()
		for _, id := range []string{"a", "b"} {
			text := body(t, id, "failed")
			send(conn, head(t, "POST", text, fmt.Sprintf("Content-Length: %d", len(text))), string(text))
			assert.Equal(t, http.StatusNoContent, status(t, conn))
			time.Sleep(time.Hour) // of the bubble
		}
		assert.False(t, hungUp)
		assert.Equal(t, []string{"a", "b"}, open(t, inbox))
		require.NoError(t, conn.Close())
	})
}

// A body that breaks off is not kept, whatever of it arrived.
func TestHandler_brokenBody(t *testing.T) {
	text := body(t, "e", "failed")
	for name, tt := range map[string]struct {
		length, body string
		closes       bool // the sender, so that it gets no answer
	}{
		"a length that does not come": {fmt.Sprintf("Content-Length: %d", len(text)+1), string(text), true},
		"a chunk that does not end":   {"Transfer-Encoding: chunked", fmt.Sprintf("%x\r\n%s\r\n", len(text), text), true},
		"a chunk that is none":        {"Transfer-Encoding: chunked", fmt.Sprintf("%x\r\n%s\r\nzz\r\n", len(text), text), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inbox, reported := &receiver.Memory{}, &reports{}
				o := options(inbox)
				o.Report = reported.add
				conn := serve(t, handler(t, o))()
				begin := head(t, "POST", text, tt.length)
				go send(conn, begin, tt.body)
				if !tt.closes {
					assert.Equal(t, http.StatusBadRequest, status(t, conn))
				}
				synctest.Wait()
				require.NoError(t, conn.Close())
				synctest.Wait()
				errs := reported.take()
				require.Len(t, errs, 1)
				require.ErrorContains(t, errs[0], "receiver: answered 400: the body broke off: ")
				assert.NotContains(t, errs[0].Error(), private)
				assert.Empty(t, open(t, inbox))
			})
		})
	}
}

// A sender that hangs up before the answer finds the event kept when it calls
// again.
func TestHandler_keptThoughHungUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inbox := &receiver.Memory{}
		release := make(chan struct{})
		h := handler(t, options(&faulty{Inbox: inbox, keep: func(ctx context.Context) error {
			<-release
			return ctx.Err()
		}}))
		var hungUp func() error
		dial := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			hungUp = r.Context().Err
			h.ServeHTTP(w, r)
		}))
		text := body(t, "e", "failed")
		conn := dial()
		send(conn, head(t, "POST", text, fmt.Sprintf("Content-Length: %d", len(text))), string(text))
		require.NoError(t, conn.Close())
		synctest.Wait()
		require.ErrorIs(t, hungUp(), context.Canceled)
		close(release)
		synctest.Wait()
		assert.Equal(t, []string{"e"}, open(t, inbox))
	})
}
