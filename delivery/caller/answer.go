package caller

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// To keep a connection, the rest of a body is read: that much of it, for that
// long. More than that costs more than a new connection.
const (
	drainBytes = 64 << 10
	drainTime  = 50 * time.Millisecond
)

// gzipOverhead is how much longer than its content a compressed body may be.
// Compression can be made of empty blocks without end.
const gzipOverhead = 1 << 10

// errLength says that a body is longer than is read.
var errLength = errors.New("the body is longer than is read")

// readBody reads at most limit bytes of the body of an answer, decompressed, and
// says why that is not all, and how that came.
func readBody(call context.Context, answer *http.Response, limit int) ([]byte, Cut, error) {
	var buffer bytes.Buffer
	body, err := decompressed(answer, limit)
	if err == nil {
		_, err = buffer.ReadFrom(io.LimitReader(body, int64(limit)+1))
	}
	switch {
	case buffer.Len() > limit || errors.Is(err, errLength):
		return buffer.Bytes()[:min(buffer.Len(), limit)], CutLength, errLength
	case err == nil:
		return buffer.Bytes(), CutNot, nil
	case call.Err() != nil:
		return buffer.Bytes(), CutTime, errors.New("the time was over before the body was")
	default:
		return buffer.Bytes(), CutBroken, fmt.Errorf("the body broke off: %w", err)
	}
}

// decompressed returns what to read the body of an answer from. Calls ask for no
// compression; what comes in gzip all the same is decompressed, and all else is
// as it is.
func decompressed(answer *http.Response, limit int) (io.Reader, error) {
	switch strings.ToLower(strings.TrimSpace(answer.Header.Get("Content-Encoding"))) {
	case "gzip", "x-gzip":
	default:
		return answer.Body, nil
	}
	body := bufio.NewReader(&boundedReader{answer.Body, limit + gzipOverhead})
	// Some say so and do not do it.
	if magic, _ := body.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return body, nil
	}
	return gzip.NewReader(body)
}

// boundedReader fails with errLength after so many bytes.
type boundedReader struct {
	from io.Reader
	left int
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLength
	}
	n, err := b.from.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// finish reads what little may be left of a body of which so much was read, so
// that the connection can be kept, and closes it. Cancel ends the call.
func finish(answer *http.Response, read int, cancel context.CancelFunc) {
	// An unknown length is -1, and a compressed body shorter than what was read.
	left := answer.ContentLength - int64(read)
	if left <= drainBytes && answer.StatusCode != http.StatusSwitchingProtocols {
		timer := time.AfterFunc(drainTime, cancel)
		_, _ = io.CopyN(io.Discard, answer.Body, drainBytes) // if it fails, the connection goes
		timer.Stop()
	}
	_ = answer.Body.Close() // it was read for people, and they have it
}
