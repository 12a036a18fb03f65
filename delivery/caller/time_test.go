package caller_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery/caller"
	wp "github.com/sluicego/sluice/webhookpolicy"
)

// piped returns a Caller whose connections lead to a function, for bubbles of
// virtual time. A nil function never connects.
func piped(t *testing.T, receiver func(conn net.Conn)) *caller.Caller {
	t.Helper()
	c, err := caller.New(plain())
	require.NoError(t, err)
	return c.WithDial(func(ctx context.Context, _, _ string) (net.Conn, error) {
		if receiver == nil {
			<-ctx.Value(waiting{}).(context.Context).Done()
			return nil, errors.New("nobody came")
		}
		client, server := net.Pipe()
		go func() {
			receiver(server)
			_ = server.Close()
		}()
		return client, nil
	})
}

// waiting is under which a test's context has itself: that of a connection goes
// on when the call has ended.
type waiting struct{}

// TestCall_Deadline shows that a call takes what it is granted and no more, by
// the clock of the bubble (WHK-2).
func TestCall_Deadline(t *testing.T) {
	const headers = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
	slowly := func(text string) func(conn net.Conn) {
		return func(conn net.Conn) {
			readRequest(conn)
			dripping(conn, text, time.Second)
		}
	}
	for name, test := range map[string]struct {
		receiver func(conn net.Conn)
		request  caller.Request
		result   wp.Result
		cut      caller.Cut
		took     time.Duration
		drained  time.Duration
	}{
		"WHK-2 the first call has a second": {
			func(c net.Conn) { hold(c) }, caller.Request{}, wp.TimedOut, 0, time.Second, 0,
		},
		"WHK-2 a retry has ten": {
			func(c net.Conn) { hold(c) }, caller.Request{Number: 1}, wp.TimedOut, 0, 10 * time.Second, 0,
		},
		"WHK-2 the decision goes before": {
			func(c net.Conn) { hold(c) }, caller.Request{Number: 8, Timeout: time.Minute}, wp.TimedOut, 0, time.Minute, 0,
		},
		"WHK-2 no connection": {
			nil, caller.Request{Number: 1}, wp.TimedOut, 0, 10 * time.Second, 0,
		},
		"WHK-2 a byte of the headers each second": {
			slowly(headers), caller.Request{Number: 1}, wp.TimedOut, 0, 10 * time.Second, 0,
		},
		"WHK-1 headers within the last second, and no body": {
			slowly("HTTP/1.1 204 No Content\r\n\r\n"), caller.Request{Timeout: 27 * time.Second}, wp.Answered, 0, 26 * time.Second, 0,
		},
		"WHK-1 a byte of the body each second": {
			func(c net.Conn) {
				readRequest(c)
				_, _ = io.WriteString(c, headers)
				dripping(c, headers, time.Second)
			}, caller.Request{Number: 1}, wp.Answered, caller.CutTime, 10 * time.Second, 0,
		},
		"WHK-13 what is too long ends at once": {
			func(c net.Conn) {
				readRequest(c)
				_, _ = io.WriteString(c, headers+strings.Repeat("a", wp.DefaultPolicy().MaxAnswerBytes+1))
				dripping(c, headers, time.Second)
			}, caller.Request{Number: 1}, wp.BodyTooLong, caller.CutLength, 0, 0,
		},
		"WHK-13 a little is waited for what is left": {
			func(c net.Conn) {
				readRequest(c)
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n"+strings.Repeat("a", wp.DefaultPolicy().MaxAnswerBytes+1))
				dripping(c, headers, time.Second)
			}, caller.Request{Number: 1}, wp.BodyTooLong, caller.CutLength, 0, caller.DrainTime,
		},
		"WHK-2 a request that nobody reads": {
			func(c net.Conn) {
				_, _ = c.Read(make([]byte, 10))
				time.Sleep(2 * time.Second)
			}, caller.Request{Body: make([]byte, 1<<20)}, wp.TimedOut, 0, time.Second, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := piped(t, test.receiver)
				ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
				defer cancel()
				r := test.request
				r.Endpoint, r.Secret = "http://receiver.test/", secret
				if r.Body == nil {
					r.Body = body
				}
				began := time.Now()
				record, err := c.Call(context.WithValue(ctx, waiting{}, ctx), r)
				require.NoError(t, err)
				assert.Equal(t, test.result, record.Outcome.Result, record)
				assert.Equal(t, test.cut, record.Cut)
				assert.Equal(t, test.took, record.Outcome.Took())
				assert.Equal(t, began, record.Outcome.Began)
				assert.Equal(t, test.drained, time.Since(record.Outcome.Ended))
				c.CloseIdleConnections()
				cancel()
				time.Sleep(5 * time.Second) // the receivers notice; a bubble's time is virtual
			})
		})
	}
}

// TestCall_CanceledMeanwhile shows when a ctx that ends is an outcome: never by
// itself, and not any more once the headers of an answer are here.
func TestCall_CanceledMeanwhile(t *testing.T) {
	why := errors.New("shutting down")
	canceling := func(after time.Duration, number int, receiver func(conn net.Conn)) (caller.Record, error) {
		c := piped(t, receiver)
		defer c.CloseIdleConnections()
		ctx, cancel := context.WithCancelCause(context.Background())
		defer cancel(nil)
		time.AfterFunc(after, func() { cancel(why) })
		return c.Call(context.WithValue(ctx, waiting{}, ctx), caller.Request{
			Endpoint: "http://receiver.test/", Body: body, Secret: secret, Number: number,
		})
	}
	for name, receiver := range map[string]func(conn net.Conn){
		"while connecting": nil,
		"before an answer": func(c net.Conn) { hold(c) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				record, err := canceling(300*time.Millisecond, 1, receiver)
				assert.Zero(t, record)
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, why)
				assert.Equal(t, 300*time.Millisecond, time.Since(began))
			})
		})
	}
	t.Run("within the body", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			record, err := canceling(300*time.Millisecond, 1, func(c net.Conn) {
				readRequest(c)
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbeginning")
				hold(c)
			})
			require.NoError(t, err)
			assert.True(t, record.Outcome.Success())
			assert.Equal(t, caller.CutTime, record.Cut)
			assert.Equal(t, "beginning", string(record.Body))
		})
	})
	t.Run("a deadline of the caller's own", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := piped(t, func(conn net.Conn) { hold(conn) })
			defer c.CloseIdleConnections()
			ctx, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
			defer cancel()
			_, err := c.Call(ctx, caller.Request{Endpoint: "http://receiver.test/", Body: body, Secret: secret})
			require.ErrorIs(t, err, context.DeadlineExceeded)
		})
	})
}
