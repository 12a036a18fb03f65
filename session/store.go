package session

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// What a Store answers when it does not do what it was asked.
var (
	// ErrNotFound: there is no such session, or no session that has the
	// resource.
	ErrNotFound = errors.New("session: not found")
	// ErrConflict: somebody else saved the session first, or it exists already.
	ErrConflict = errors.New("session: conflict")
	// ErrInvalidSave: what is to be saved does not fit together: see
	// [CheckSave].
	ErrInvalidSave = errors.New("session: invalid save")
	// ErrInvalidQuery: no list is what a [Query] asks for.
	ErrInvalidQuery = errors.New("session: invalid query")
	// ErrUnsupported: the Store lacks an optional ability.
	ErrUnsupported = errors.New("session: unsupported by this store")
	// ErrUnknownOutcome: the connection was lost while a Save was under way,
	// which may have been done or not: see [OutcomeError].
	ErrUnknownOutcome = errors.New("session: unknown outcome")
	// ErrCorrupt: what is stored cannot be read: see [CorruptError].
	ErrCorrupt = errors.New("session: corrupt")
)

// Store keeps sessions with their events, and gives both back as they were:
// ids are compared byte by byte, and the time of an event keeps its
// nanoseconds.
//
// All methods may be called at once from many goroutines. With a context that
// is done they return its error, and change nothing. Slices that are given to a
// Store stay the caller's; those that it returns become the caller's.
//
// The package sessiontest has a suite that every Store must pass.
type Store interface {
	// Load returns the session as it was saved last. It returns ErrNotFound if
	// there is none with this id.
	Load(ctx context.Context, id string) (Session, error)

	// Save keeps a session and the events that led to it since it was loaded,
	// all or nothing.
	//
	// It returns ErrInvalidSave if CheckSave refuses the two, ErrConflict
	// unless the stored session (version 0 if there is none) is the one that
	// the events begin at, and a [*Refusal] under ATT-12 that unwraps to
	// ErrResourceTaken, and says where, if a resource that they link stands in
	// another session. Conflict is told before that, so that who is late finds
	// out by loading again.
	Save(ctx context.Context, next Session, events []Event) error
}

// Finder is a Store that finds sessions by their resources, as webhooks need.
type Finder interface {
	// Find returns the id of the session that has the resource in any attempt,
	// or ErrNotFound.
	Find(ctx context.Context, resourceID string) (sessionID string, err error)
}

// Lister is a Store that lists sessions.
type Lister interface {
	// List returns a page of the sessions that a query asks for, in the order
	// of their creation: by CreatedAt, then by id, oldest first. Sessions that
	// are saved between two pages neither repeat nor hide others. It returns a
	// [*CursorError] for what is no cursor, and ErrInvalidQuery for a negative
	// limit.
	List(ctx context.Context, q Query) (Page[Session], error)
}

// History is a Store that gives events back.
type History interface {
	// History returns the events of a session behind a version, in order; all
	// of them for version 0 or less. It returns ErrNotFound if there is no such
	// session.
	History(ctx context.Context, id string, after int) ([]Event, error)
}

// DefaultLimit is how many sessions a page has when the query does not say.
const DefaultLimit = 100

// Query says which sessions to list. The zero Query asks for all.
type Query struct {
	Status       Status // zero for any
	WorkspaceID  string // "" for any
	TemplateID   string // "" for any
	UpdatedSince time.Time
	Limit        int    // sessions in a page; 0 for DefaultLimit
	Cursor       string // NextCursor of the page before; "" for the first page
}

// Matches reports whether a session is one that the query asks for, wherever
// its page begins.
func (q Query) Matches(s Session) bool {
	return (q.Status == 0 || q.Status == s.Status()) &&
		(q.WorkspaceID == "" || q.WorkspaceID == s.workspaceID) &&
		(q.TemplateID == "" || q.TemplateID == s.templateID) &&
		!s.updatedAt.Before(q.UpdatedSince)
}

// Start returns the position behind which the page begins and how many sessions
// it has at most, for those who write a Store. It returns a [*CursorError], or
// ErrInvalidQuery for a negative limit or a status that is none.
func (q Query) Start() (after Position, limit int, err error) {
	if q.Status != 0 && !q.Status.IsValid() {
		return after, 0, fmt.Errorf("%w: status %s is none; zero is for any", ErrInvalidQuery, q.Status)
	}
	if q.Limit < 0 {
		return after, 0, fmt.Errorf("%w: limit %d is negative; 0 is for %d", ErrInvalidQuery, q.Limit, DefaultLimit)
	}
	if limit = q.Limit; limit == 0 {
		limit = DefaultLimit
	}
	after, err = ParseCursor(q.Cursor)
	return after, limit, err
}

// Page is a page of a list: of sessions, or of the templates that the public
// API lists in the same form (SES-10).
type Page[T any] struct {
	Items      []T
	NextCursor string // "" on the last page
}

// CheckSave holds what is to be saved together, for Stores to call first: the
// events are there, all of the session, their versions without a gap up to the
// session's, and the first of all is its creation. It returns the version that
// the stored session must have, or an error that unwraps to ErrInvalidSave.
func CheckSave(next Session, events []Event) (stored int, err error) {
	stored = next.version - len(events)
	switch {
	case next.fromDocument:
		return 0, fmt.Errorf("%w: %s was read from the public API's JSON, which does not tell all; "+
			"load it from the store, or create it", ErrInvalidSave, next)
	case len(events) == 0:
		return 0, fmt.Errorf("%w: no events; there is nothing to save", ErrInvalidSave)
	case stored < 0:
		return 0, fmt.Errorf("%w: %d events for %s", ErrInvalidSave, len(events), next)
	}
	for i, e := range events {
		_, isCreation := e.Fact.(Created)
		switch {
		case !isFact(e.Fact):
			return 0, fmt.Errorf("%w: event %d of %s says no fact, but %T", ErrInvalidSave, e.Version, next, e.Fact)
		case e.SessionID != next.id:
			return 0, fmt.Errorf("%w: event %d of session %s for %s", ErrInvalidSave, e.Version, e.SessionID, next)
		case e.Version != stored+i+1:
			return 0, fmt.Errorf("%w: event %d where event %d is due for %s", ErrInvalidSave, e.Version, stored+i+1, next)
		case isCreation != (e.Version == 1):
			return 0, fmt.Errorf("%w: event %d of %s is %s; a session begins with its creation, and only once",
				ErrInvalidSave, e.Version, next, nameOf(e.Fact))
		}
	}
	return stored, nil
}

// isFact reports whether it is one of the facts. A pointer to one satisfies the
// interface too.
func isFact(f Fact) bool {
	switch f.(type) {
	case Created, Linked, Transitioned, Observed, Resolved:
		return true
	}
	return false
}

// Taken is the error of a Store whose Save was to link a resource that stands
// in another session (ATT-12).
func Taken(resourceID, inSession string) error {
	return &Refusal{
		Op: "session: link", Subject: resourceID, Rule: "ATT-12",
		Reason: "it stands in session " + inSession, Err: ErrResourceTaken,
	}
}

// load loads a session and makes sure that it is the one that was asked for: a
// database that compares ids loosely would let a command change another.
func load(ctx context.Context, store Store, id string) (Session, error) {
	s, err := store.Load(ctx, id)
	if err != nil {
		return Session{}, fmt.Errorf("load session %s: %w", id, err)
	}
	if s.id != id {
		return Session{}, fmt.Errorf("load session %s: %w: the store returned %s", id, ErrInvalidSave, s)
	}
	return s, nil
}

// Find returns the id of the session that has a resource. It returns
// ErrNotFound if none has it, and ErrUnsupported if the Store is no [Finder]:
// there is no other way than to look at every session.
func Find(ctx context.Context, store Store, resourceID string) (string, error) {
	if f, ok := store.(Finder); ok {
		return f.Find(ctx, resourceID)
	}
	return "", fmt.Errorf("find resource %s: %w: %T is no session.Finder", resourceID, ErrUnsupported, store)
}

// UpdateByResource is Update of the session that has a resource: what a
// provider's webhook asks for. The errors are those of Find and Update.
//
// ErrNotFound is no reason to have the webhook sent again for days: resources
// outside of sessions exist. A webhook that comes before the link loses nothing
// either, since a link brings the status of its own time. An error that unwraps
// to [action.ErrContradiction] will not go away by itself: accept the webhook,
// and look at the resource.
func UpdateByResource(
	ctx context.Context, store Store, resourceID string, c Command, now time.Time,
) (Session, Change, error) {
	id, err := Find(ctx, store, resourceID)
	if err != nil {
		return Session{}, Change{}, err
	}
	return Update(ctx, store, id, c, now)
}
