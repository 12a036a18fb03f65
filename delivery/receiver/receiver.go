// Package receiver is the other side of a webhook: a handler that a host mounts,
// and the step that feeds what arrived into sessions.
//
//	inbox, err := sqliteinbox.Open(ctx, "webhooks.db")
//	if err != nil {
//		return err
//	}
//	handler, err := receiver.New(receiver.Options{
//		Receiver: webhookpolicy.Receiver{Secrets: secrets, Tolerance: 5 * time.Minute},
//		Inbox:    inbox, Report: report,
//	})
//	if err != nil {
//		return err
//	}
//	mux.Handle("/webhooks", handler)
//
//	feed, err := receiver.NewFeed(receiver.FeedOptions{Inbox: inbox, Store: store, Report: report})
//	if err != nil {
//		return err
//	}
//	go feed.Run(ctx)
//
// # Kept first, dealt with later
//
// A sender waits a second for the answer to a first call (WHK-2), and what it
// has no good answer to, it sends again for days. So a [Handler] does no work: it
// checks the signature over the bytes as they arrived (WHK-11), keeps the event
// in an [Inbox] and answers 204 when it is safely kept. A call that comes again
// has the same event id (WHK-9), is kept once, and answered 204 as well.
//
// What it answers otherwise says no more than its status:
//
//	400  authentic, and no envelope; or the body broke off
//	401  not authentic, or issued at another time
//	405  not a POST
//	408  the body took too long
//	413  the body is too long
//	415  the body is encoded: the signature is about bytes that are not here
//	503  the event could not be kept, or the keys not be had: to be sent again
//
// Why it was, [Options].Report is told. Neither answers nor errors have anything
// of a key or of a body in them.
//
// # Into sessions
//
// A [Feed] claims events from the inbox, oldest first, and turns those that tell
// of a resource's status into a [session.Observe] of the session that has the
// resource. That webhooks come late, twice or out of order changes nothing
// (ACT-5); so no event waits for another, and several feeds may share an inbox.
// What will not go away by itself, such as a contradiction (ACT-4), is reported
// as a [*FeedError] and the event given up; what may, such as a database that is
// not there, leaves the event for later. A webhook may be faster than the host
// that is about to link its resource: [FeedOptions].Patience says for how long
// that is thought possible.
//
// Hosts that do other work as well, or keep it in the database of the inbox,
// write a loop of their own: Claim, the work, and Done, for which sqliteinbox and
// postgresinbox have a form that is part of the host's transaction.
//
// # Inboxes
//
// [Memory] is for tests. Packages sqliteinbox and postgresinbox keep events in
// databases, and package inboxtest has a suite that every [Inbox] must pass.
//
// An inbox knows events by their ids alone. Whoever has a valid key chooses ids:
// senders who do not trust each other need an inbox each.
//
// Ids stay until the host calls Forget, once a day for one. Retries go on for
// days (WHK-3), and longer while an endpoint is suspended (WHK-8); an id that is
// forgotten too early costs no more than work that is done twice.
package receiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sluicego/sluice/webhookpolicy"
)

// ErrOptions is what the errors of [New] and [NewFeed] unwrap to.
var ErrOptions = errors.New("receiver: invalid options")

// ErrVersion is what every [*VersionError] unwraps to.
var ErrVersion = errors.New("receiver: wrong version")

// VersionError says that a newer program has used the database of an [Inbox].
type VersionError struct {
	Database int // the version that the inbox has
	Program  int // the version that the program works with
}

// Error names both versions.
func (e *VersionError) Error() string {
	return fmt.Sprintf("receiver: the inbox has version %d, but this program works with version %d; a newer program is needed",
		e.Database, e.Program)
}

// Unwrap returns ErrVersion.
func (e *VersionError) Unwrap() error { return ErrVersion }

// What Options are when they say nothing.
const (
	defaultBytes       = 1 << 20 // as webhookpolicy.Limits has it
	defaultReadTimeout = 10 * time.Second
	defaultKeepTimeout = 10 * time.Second
)

// Options are the settings of a [Handler]. The inbox is needed, and keys.
type Options struct {
	// Receiver says which keys are valid, how far the time of a call may be from
	// now, and how long and deep a body is.
	Receiver webhookpolicy.Receiver
	// Secrets returns the keys that are valid for a request, where that depends
	// on its path or host; Receiver.Secrets must be empty then. It must not
	// read the body. Without any keys the request is refused; by an error, the
	// sender is to try again.
	Secrets func(*http.Request) ([]webhookpolicy.Secret, error)
	// SignatureHeader and IssuedAtHeader are what the sender's policy calls
	// these headers. By "" they are [webhookpolicy.HeaderSignature] and
	// [webhookpolicy.HeaderIssuedAt].
	SignatureHeader string
	IssuedAtHeader  string

	// Inbox keeps what arrives.
	Inbox Inbox

	// ReadTimeout is how long a body may take to arrive, by zero 10 s. It takes
	// the place of the server's own until the body is read. Where a
	// [http.ResponseWriter] has no deadlines, the server's own counts alone.
	ReadTimeout time.Duration
	// KeepTimeout is how long the inbox may take, by zero 10 s. It goes on when
	// the sender has hung up meanwhile, so that the next call finds the event
	// kept.
	KeepTimeout time.Duration

	// Now is the host's clock. Nil is [time.Now].
	Now func() time.Time
	// Report is told of every call that is not answered 204: a [*RequestError].
	// It may be called from many goroutines at once. Nil tells nobody.
	Report func(error)
}

// Handler takes webhooks in. It is safe for concurrent use.
type Handler struct {
	o     Options
	bytes int64 // that a body has at most
}

// New returns a Handler. What Options have wrong is an error that unwraps to
// [ErrOptions].
func New(o Options) (*Handler, error) {
	static := len(o.Receiver.Secrets) > 0
	switch {
	case o.Inbox == nil:
		return nil, fmt.Errorf("%w: there is no Inbox", ErrOptions)
	case static == (o.Secrets != nil):
		return nil, fmt.Errorf("%w: either Receiver.Secrets or Secrets gives the keys", ErrOptions)
	case o.Receiver.Limits.Bytes < 0 || o.Receiver.Limits.Depth < 0:
		return nil, fmt.Errorf("%w: Limits must not be negative", ErrOptions)
	case o.ReadTimeout < 0 || o.KeepTimeout < 0 || o.Receiver.Tolerance < 0:
		return nil, fmt.Errorf("%w: times must not be negative", ErrOptions)
	}
	for i, secret := range o.Receiver.Secrets {
		if secret.IsZero() {
			return nil, fmt.Errorf("%w: secret key %d of %d is empty", ErrOptions, i+1, len(o.Receiver.Secrets))
		}
	}
	o.SignatureHeader = cmp.Or(o.SignatureHeader, webhookpolicy.HeaderSignature)
	o.IssuedAtHeader = cmp.Or(o.IssuedAtHeader, webhookpolicy.HeaderIssuedAt)
	o.ReadTimeout = cmp.Or(o.ReadTimeout, defaultReadTimeout)
	o.KeepTimeout = cmp.Or(o.KeepTimeout, defaultKeepTimeout)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Report == nil {
		o.Report = func(error) {}
	}
	return &Handler{o: o, bytes: int64(cmp.Or(o.Receiver.Limits.Bytes, defaultBytes))}, nil
}

// Inbox keeps events until they are dealt with, and their ids for longer, so
// that each is dealt with once although it arrives more than once.
//
// All methods may be called at once from many goroutines. With a context that is
// done they return its error, and change nothing. Slices that are given to an
// Inbox stay the caller's; those that it returns become the caller's.
//
// The package inboxtest has a suite that every Inbox must pass.
type Inbox interface {
	// Keep keeps an event behind all others, unless one with its id is or was
	// there, and reports whether it is new. When it returns without an error,
	// the event is as safe as it will ever be. Of many that keep one id at
	// once, one is told that it is new. Ids are compared byte by byte.
	Keep(ctx context.Context, e Event) (isNew bool, err error)

	// Claim hands out up to a number of events that are not dealt with and that
	// nobody holds, oldest first, and holds them for the caller from now on,
	// for as long as the lease. What is not done by then is handed out again;
	// so an event may be handed out twice, but no two hold it at once. Without
	// any it returns none, and no error.
	Claim(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]Event, error)

	// Done marks events as dealt with. They are not handed out again, and of
	// them no more than the id and the time has to be kept. Ids that are not
	// there are passed over.
	Done(ctx context.Context, ids ...string) error

	// Forget removes what was received before a time and is dealt with. What is
	// not dealt with stays, however old it is.
	Forget(ctx context.Context, before time.Time) error
}

// Event is an authentic call, as an [Inbox] keeps it.
type Event struct {
	ID       string    // the event_id: 1 to 128 bytes of UTF-8 without NUL
	Body     []byte    // an envelope, to the byte as it was signed
	Received time.Time // by the host's clock, in whole microseconds, cut off, and UTC
}

// Envelope reads the body.
func (e Event) Envelope() (webhookpolicy.Envelope, error) {
	// Whoever kept it has held it against limits. No text is deeper than long.
	limit := len(e.Body) + 1
	return webhookpolicy.ParseEnvelope(e.Body, webhookpolicy.Limits{Bytes: limit, Depth: limit})
}
