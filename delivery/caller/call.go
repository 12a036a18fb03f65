package caller

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"time"

	"github.com/sluicego/sluice/webhookpolicy"
)

// Call makes one call and returns how it ended. It takes no longer than the
// time-out.
//
// An error says that there is no outcome, and the Record is zero: a
// [*RequestError] if nothing could be called, or what unwraps to ctx.Err() if ctx
// ended before an answer came. In the latter case the receiver may have got the
// call, and the deliverer makes it again later. An answer whose headers are here
// is an outcome whatever becomes of ctx.
func (c *Caller) Call(ctx context.Context, r Request) (Record, error) {
	endpoint, err := r.check(c.targets)
	if err != nil {
		return Record{}, err
	}
	if err := canceled(ctx); err != nil {
		return Record{}, err
	}
	began := time.Now()
	headers, err := c.policy.Headers(r.Body, r.Secret, r.Number, began)
	if err != nil {
		return Record{}, &RequestError{"Secret", "the body cannot be signed", err}
	}
	timeout := r.Timeout
	if timeout == 0 {
		timeout = c.policy.Timeout(r.Number)
	}
	call, cancel := context.WithDeadline(ctx, began.Add(timeout))
	defer cancel()

	t := try{caller: c, call: call, cancel: cancel, body: r.Body, url: endpoint, header: make(http.Header, len(headers)+2)}
	for _, h := range headers {
		t.header.Set(h.Name, h.Value)
	}
	t.header.Set("Accept-Encoding", "identity")
	// A transport takes this one for leave to repeat the request over a new
	// connection when a kept one turns out to be closed, and does not send it.
	t.header["Idempotency-Key"] = []string{}

	t.run()
	if t.record.Outcome.Status == 0 { // no answer
		if err := canceled(ctx); err != nil {
			return Record{}, err
		}
	}
	t.record.Outcome.Began = began
	return t.record, nil
}

// canceled returns why ctx has ended, with its cause, or nil.
func canceled(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); !errors.Is(cause, err) {
		return fmt.Errorf("caller: no outcome: %w: %w", err, cause)
	}
	return fmt.Errorf("caller: no outcome: %w", err)
}

// try is a call under way.
type try struct {
	caller *Caller
	call   context.Context //nolint:containedctx // it lives no longer than the call
	cancel context.CancelFunc
	body   []byte
	url    *url.URL // of the next request
	header http.Header
	record Record
}

// run makes requests until one is answered by no redirect that is to be
// followed.
func (t *try) run() {
	for {
		answer, err := t.request()
		if err != nil {
			t.failed(err)
			return
		}
		if t.caller.policy.MaxRedirects == 0 || !redirects(answer) {
			t.answered(answer)
			return
		}
		if !t.redirect(answer) {
			return
		}
	}
}

// errStatus says that an answer has a status that HTTP does not have.
var errStatus = errors.New("the status of the answer is none")

// request sends the body to the URL and returns the answer as far as its headers.
func (t *try) request() (*http.Response, error) {
	t.record.Hops = append(t.record.Hops, Hop{})
	hop := &t.record.Hops[len(t.record.Hops)-1]
	if err := t.caller.guard.host(t.url.Hostname()); err != nil {
		return nil, err
	}
	ctx := context.WithValue(t.call, callKey{}, t.call)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		hop.Reused = info.Reused
		if remote := info.Conn.RemoteAddr(); remote != nil {
			hop.Remote, _ = netip.ParseAddrPort(remote.String()) // what is no IP address has none
		}
	}})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url.String(), bytes.NewReader(t.body))
	if err != nil {
		return nil, fmt.Errorf("caller: request: %w", err)
	}
	request.Header = t.header.Clone()
	answer, err := t.caller.transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode < 100 {
		_ = answer.Body.Close() // it is no answer
		return nil, errStatus
	}
	hop.Status, hop.Protocol = answer.StatusCode, answer.Proto
	return answer, nil
}

// redirects reports whether an answer leads to somewhere else. Without a
// Location it is an answer like others.
func redirects(answer *http.Response) bool {
	switch answer.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return answer.Header.Get("Location") != ""
	default:
		return false
	}
}

// redirect takes the call to where an answer leads, and reports whether it may.
// It stays a POST with its body, whatever the status: a webhook that arrives
// without one is none.
func (t *try) redirect(answer *http.Response) bool {
	if len(t.record.Hops) > t.caller.policy.MaxRedirects {
		t.ended(webhookpolicy.TooManyRedirects, fmt.Sprintf("more than %d", t.caller.policy.MaxRedirects))
		finish(answer, 0, t.cancel)
		return false
	}
	to, reason := t.caller.targets.follow(t.url, answer.Header.Get("Location"))
	if reason != "" {
		t.ended(webhookpolicy.AddressRefused, "the redirect must not be followed: "+reason)
		finish(answer, 0, t.cancel)
		return false
	}
	_ = answer.Body.Close() // nobody wants anything of a redirect's body
	if !sameOrigin(t.url, to) {
		t.strip()
	}
	t.url = to
	return true
}

// strip takes away what only the endpoint is to see, for the rest of the call.
func (t *try) strip() {
	for _, name := range t.caller.own {
		t.header.Del(name)
	}
}

// answered takes in the answer that counts. Its headers are here, so that ends
// the call whatever becomes of the rest (WHK-1).
func (t *try) answered(answer *http.Response) {
	result, cut := webhookpolicy.Answered, CutNot
	var body []byte
	var err error
	if answer.StatusCode != http.StatusSwitchingProtocols { // which has no body, but a connection without a deadline
		body, cut, err = readBody(t.call, answer, t.caller.policy.MaxAnswerBytes)
	}
	if cut == CutLength {
		result = webhookpolicy.BodyTooLong
	}
	text := ""
	if err != nil {
		text = err.Error()
	}
	t.ended(result, text)
	t.record.Outcome.Status = answer.StatusCode
	t.record.Outcome.RetryAfter, _ = webhookpolicy.ParseRetryAfter(
		answer.Header.Get("Retry-After"), t.record.Outcome.Ended)
	t.record.Header, t.record.Body, t.record.Cut = keep(answer.Header), body, cut
	finish(answer, len(body), t.cancel)
}

// failed takes in why there is no answer.
func (t *try) failed(err error) {
	result, text := classify(t.call, err), err.Error()
	if result == webhookpolicy.TimedOut {
		text = "no connection came about in time"
		if t.record.Hops[len(t.record.Hops)-1].Remote.IsValid() {
			text = "no answer came in time"
		}
	}
	t.ended(result, text)
}

// ended takes down the end, before anything else takes time.
func (t *try) ended(result webhookpolicy.Result, text string) {
	t.record.Outcome.Result = result
	t.record.Outcome.Ended = time.Now()
	t.record.Detail = detail(text)
}
