package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
	"github.com/sluicego/sluice/transcript"
)

// story plays the chapters on a host and tells of them.
//
// Its first error ends it, and is kept: what comes behind is not told. So a
// chapter reads as a list of what happens.
type story struct {
	host    *host
	store   *memstore.Store
	out     teller
	err     error
	session string // the session that the chapter is about

	now      time.Time
	title    string
	silent   bool
	chapters int
	steps    int
}

// play tells the whole story.
func play(ctx context.Context, out teller) error {
	st := newStory(out)
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

func newStory(out teller) *story {
	st := &story{store: &memstore.Store{}, out: out}
	st.host = &host{
		store:     st.store,
		workspace: workspace,
		secret:    []byte("in real life: 32 random bytes..."),
		now:       func() time.Time { return st.now },
		report:    st.tell,
	}
	st.host.templates = st.readTemplates("list_templates.response.json")
	return st
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
	if st.err == nil {
		st.err = st.out.chapter(fmt.Sprintf("%d. %s", st.chapters, title), text)
	}
}

// at begins a step: it sets the clock, and the title for what happens next.
func (st *story) at(clock, title string) {
	now, err := time.Parse(time.DateTime, clock)
	st.do(err)
	st.now, st.title, st.silent = now, title, false
}

// meanwhile is at for what is not told.
func (st *story) meanwhile(clock string) {
	st.at(clock, "")
	st.silent = true
}

// tell is where the host reports to.
func (st *story) tell(step transcript.Step) error {
	if st.err != nil || st.silent {
		return st.err
	}
	st.steps++
	step.Title = fmt.Sprintf("%d.%d %s", st.chapters, st.steps, st.title)
	return st.out.step(step)
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
