package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// What keeps the store from doing what it was asked. Errors of PostgreSQL that
// belong to none of them are passed on as they are.
var (
	// ErrUnavailable: the server cannot be reached, or the connection was lost,
	// for longer than calls try. Nothing was saved.
	ErrUnavailable = errors.New("postgres: unavailable")
	// ErrBusy: other transactions were in the way, for longer than calls try.
	// Nothing was saved; the same call may succeed later.
	ErrBusy = errors.New("postgres: busy")
	// ErrTimeout: a statement took longer than Options.StatementTimeout, or than
	// the server allows, or somebody canceled it. Nothing was saved.
	ErrTimeout = errors.New("postgres: statement timeout")
	// ErrInTx: within InTx the Store itself was to write, which is no part of the
	// transaction. What the function is given to write with is the [Joined].
	ErrInTx = errors.New("postgres: this is within InTx: use the store that its function is given")
	// ErrVersion is what every [*VersionError] unwraps to.
	ErrVersion = errors.New("postgres: wrong version")
)

// VersionError says that a database has not the version that the program works
// with: a newer program was there, or migrations are not to be run.
type VersionError struct {
	Database int // the version that the database has
	Program  int // the version that the program works with
}

// Error names both versions.
func (e *VersionError) Error() string {
	advice := "run its migrations first"
	if e.Database > e.Program {
		advice = "a newer program is needed"
	}
	return fmt.Sprintf("postgres: the database has version %d, but this program works with version %d; %s",
		e.Database, e.Program, advice)
}

// Unwrap returns ErrVersion.
func (e *VersionError) Unwrap() error { return ErrVersion }

// Codes of PostgreSQL's errors.
const (
	uniqueViolation      = "23505"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	lockNotAvailable     = "55P03"
	queryCanceled        = "57014"
)

// codeOf returns the code of an error that the server reports of a statement,
// after which the connection goes on; "" for any other error.
func codeOf(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) && !unsent(err) && e.Severity != "FATAL" && e.Severity != "PANIC" {
		return e.Code
	}
	return ""
}

// unsentError is an error that came before there was a connection.
type unsentError struct{ error }

// Unwrap returns the error itself.
func (e *unsentError) Unwrap() error { return e.error }

// unsent reports whether an error came before anything was sent to the server.
// What pgconn.SafeToRetry says is no proof: where a connection breaks after a
// commit was sent, the error may be that the connection is closed.
func unsent(err error) bool {
	var none *unsentError
	var refused *pgconn.ConnectError
	return errors.As(err, &none) || errors.As(err, &refused)
}

// undone reports whether a transaction, committed with its last statement, is
// known to have kept nothing. Anything but the server's word leaves that open,
// and so does the server's last word on a connection that it ends.
func undone(err error) bool {
	return unsent(err) || codeOf(err) != "" ||
		errors.Is(err, pgx.ErrTxClosed) || errors.Is(err, pgx.ErrTxCommitRollback)
}

// hopeless reports whether the server refuses every connection for a reason that
// does not go away by waiting: who it is that connects, and to what.
func hopeless(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) || len(e.Code) < 2 {
		return false
	}
	class := e.Code[:2]
	return class == "28" || class == "3D" || class == "42"
}

// lost reports whether a connection was lost, or could not be made, so that
// another one may do.
func lost(err error) bool {
	if hopeless(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return false
	}
	var refused *pgconn.ConnectError
	var network net.Error
	var last *pgconn.PgError // the server's last word, since codeOf has none
	return errors.As(err, &refused) || pgconn.SafeToRetry(err) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		codeOf(err) == "" && errors.As(err, &last)
}

// outrun reports whether a transaction was given up because of others, so that
// it may succeed when it is run again.
func outrun(err error) bool {
	code := codeOf(err)
	return code == serializationFailure || code == deadlockDetected
}

// explain gives an error of the driver its type. A context that is done is the
// reason for all that fails from then on, and its error is returned as it is.
func explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if done := ctx.Err(); done != nil {
		return done
	}
	switch {
	case codeOf(err) == queryCanceled, errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	case outrun(err), codeOf(err) == lockNotAvailable:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case lost(err):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	default:
		return err
	}
}

// retrier runs again what failed for a reason that may go away.
type retrier struct {
	bound time.Duration // how long; 0 or less for not at all
}

// The pauses between tries: the first is up to shortest long, the next up to
// twice as long, and so on up to the longest.
const (
	shortestPause = 2 * time.Millisecond
	longestPause  = 250 * time.Millisecond
)

// do runs try until it succeeds, fails for good, or the time is over.
func (r retrier) do(ctx context.Context, again func(error) bool, try func() error) error {
	begin := time.Now()
	for pause := shortestPause; ; pause = min(2*pause, longestPause) {
		err := try()
		if err == nil || ctx.Err() != nil || !again(err) || time.Since(begin)+pause > r.bound {
			return err
		}
		sleep(ctx, rand.N(pause)) // #nosec G404 -- no secret
	}
}

// sleep returns after some time, or when the context is done.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
