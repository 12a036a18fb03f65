package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/transcript"
)

// database is what the story needs of a store: with less than a host does, it
// could not go on where it was.
type database interface {
	session.Store
	session.Lister
	session.History
}

// story plays the chapters on a host and tells of them.
//
// Its first error ends it, and is kept: what comes behind is not played. So a
// chapter reads as a list of what happens.
type story struct {
	host *host
	out  teller
	pace time.Duration // between two steps that are told
	err  error

	// Where the story was: at the last event of its newest session.
	last  string    // the session; "" once its chapter is reached
	until time.Time // of the event

	session  string // the session that the chapter is about
	heading  string // of the chapter; "" once it is told
	text     string
	skips    time.Time // what happened up to then is not played again
	now      time.Time
	title    string // of the step; "" if it is not told
	chapters int
	steps    int
}

// forever is later than any step.
var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// play tells the story, from where the store has it.
func play(ctx context.Context, store database, out teller, pace time.Duration) error {
	st := newStory(store, out)
	st.pace = pace
	st.do(st.resume(ctx, store))
	for _, chapter := range []func(*story, context.Context){
		(*story).firstSession,
		(*story).declined,
		(*story).threeAttempts,
		(*story).expired,
		(*story).vouched,
		(*story).refusedRetries,
		(*story).lateAndTwice,
	} {
		chapter(st, ctx)
	}
	return st.err
}

func newStory(store session.Store, out teller) *story {
	st := &story{out: out}
	st.host = &host{
		store:     store,
		workspace: workspace,
		secret:    []byte("in real life: 32 random bytes..."),
		now:       func() time.Time { return st.now },
		report:    st.tell,
	}
	st.host.templates = st.readTemplates("list_templates.response.json")
	return st
}

// resume finds out where the story was. Each step is a command and so is done or
// not. One that changed nothing left nothing behind; if no other came after it,
// it is played again.
func (st *story) resume(ctx context.Context, store database) error {
	q := session.Query{WorkspaceID: workspace, TemplateID: template}
	for {
		page, err := store.List(ctx, q)
		if err != nil {
			return err
		}
		if n := len(page.Items); n > 0 {
			st.last = page.Items[n-1].ID()
		}
		if q.Cursor = page.NextCursor; q.Cursor == "" {
			break
		}
	}
	if st.last == "" {
		return nil
	}
	events, err := store.History(ctx, st.last, 0)
	if err != nil {
		return err
	}
	st.until = events[len(events)-1].At
	return nil
}

// readTemplates reads the answer to GET /workflow_templates.
func (st *story) readTemplates(name string) map[string]session.Template {
	list, err := decode[session.Page[session.Template]](st.body(name))
	st.do(err)
	templates := map[string]session.Template{}
	for _, t := range list.Items {
		templates[t.ID] = t
	}
	return templates
}

// body returns a body that comes with the program.
func (st *story) body(name string) []byte {
	body, err := bodies.ReadFile("requests/" + name)
	st.do(err)
	return body
}

// chapter begins a chapter about a session.
func (st *story) chapter(sessionID, title, text string) {
	st.chapters++
	st.steps = 0
	st.session = sessionID
	st.heading, st.text = fmt.Sprintf("%d. %s", st.chapters, title), text
	switch st.last {
	case "": // nothing of it was played
		st.skips = time.Time{}
	case sessionID:
		st.last, st.skips = "", st.until
		st.heading += " (goes on)"
	default:
		st.skips = forever
	}
}

// at begins a step: it sets the clock, and the title for what happens next, or
// "" for what is not told. It reports whether the step is to be played.
func (st *story) at(clock, title string) bool {
	now, err := time.Parse(time.DateTime, clock)
	st.do(err)
	st.now, st.title = now, title
	if title != "" {
		st.steps++
	}
	return st.err == nil && now.After(st.skips)
}

// tell is where the host reports to.
func (st *story) tell(ctx context.Context, step transcript.Step) error {
	if st.title == "" {
		return nil
	}
	if st.heading != "" {
		if err := st.out.chapter(st.heading, st.text); err != nil {
			return err
		}
		st.heading = ""
	}
	step.Title = fmt.Sprintf("%d.%d %s", st.chapters, st.steps, st.title)
	if err := st.out.step(step); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-time.After(st.pace):
	}
	return ctx.Err()
}

// do ends the story if something went wrong.
func (st *story) do(err error) {
	if st.err == nil && err != nil {
		st.err = fmt.Errorf("chapter %d, step %d: %w", st.chapters, st.steps, err)
	}
}

// refused ends the story unless a rule refused something.
func (st *story) refused(rule string, err error) {
	var refusal *session.Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Rule == rule: // as it should be
	case err == nil:
		st.do(fmt.Errorf("a refusal under %s was expected", rule))
	default:
		st.do(fmt.Errorf("a refusal under %s was expected: %w", rule, err))
	}
}
