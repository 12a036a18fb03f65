package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/webhookpolicy"
)

// Delivery is one event on its way to one subscription, as it is kept. Where it
// stands is told by the methods of what is embedded.
type Delivery struct {
	webhookpolicy.Delivery
	EventName webhookpolicy.EventName
	// Epoch is how often it got a new life: by a release, as a probe, by Replay.
	Epoch int
	// Ended is when it ended, the zero time before that.
	Ended time.Time
	// Queued says whether there is a job for the next call.
	Queued bool
}

// MarshalJSON writes what String of a [Story] tells of the delivery itself, for a
// page of a host's own.
func (d Delivery) MarshalJSON() ([]byte, error) {
	type document struct {
		EventName webhookpolicy.EventName `json:"event_name"`
		Epoch     int                     `json:"epoch"`
		Ended     *time.Time              `json:"ended_at"`
		Queued    bool                    `json:"queued"`
		Delivery  webhookpolicy.Delivery  `json:"delivery"`
	}
	out := document{d.EventName, d.Epoch, nil, d.Queued, d.Delivery}
	if !d.Ended.IsZero() {
		out.Ended = &d.Ended
	}
	return json.Marshal(out)
}

func (r *row) public() Delivery {
	d := Delivery{
		Delivery: r.delivery, EventName: webhookpolicy.EventName(r.EventName), Epoch: r.Epoch, Queued: r.Queued,
	}
	if r.Ended != nil {
		d.Ended = moment(*r.Ended)
	}
	return d
}

// Query says which deliveries are asked for. Zero fields ask for all.
type Query struct {
	States         []webhookpolicy.State // one of these; Exhausted alone: the dead letters
	SubscriptionID string
	Endpoint       string    // the exact URL
	From, To       time.Time // of creation; To is not in it
	Newest         bool      // newest first; otherwise oldest first

	After string // the cursor of the page before, "" for the first one
	Limit int    // of the page, by zero 50, at most 1000
}

// Page is a part of a list.
type Page struct {
	Deliveries []Delivery
	Next       string // cursor of the page that follows, "" if there is none
}

// Deliveries returns a page of deliveries by their creation. It returns an error
// that unwraps to [ErrQuery] if the query makes no sense.
func (d *Deliverer) Deliveries(ctx context.Context, q Query) (Page, error) {
	where, args, err := q.where(d.queue.Dialect())
	if err != nil {
		return Page{}, err
	}
	limit, order := q.Limit, "d.created, d.event_id"
	orElse(&limit, 50)
	if q.Newest {
		order = "d.created DESC, d.event_id DESC"
	}
	args = append(args, limit+1)
	var page Page
	var last *row
	err = d.queue.Query(ctx, func(scan engine.Scan) error {
		r, err := readRow(scan)
		if err != nil {
			return err
		}
		if len(page.Deliveries) == limit {
			page.Next = fmt.Sprintf("%d/%s", last.Created, last.EventID)
			return nil
		}
		last, page.Deliveries = r, append(page.Deliveries, r.public())
		return nil
	}, fmt.Sprintf(`SELECT %s FROM sluice_deliveries d WHERE %s ORDER BY %s LIMIT $%d`, rowColumns, where, order, len(args)),
		args...)
	if err != nil {
		return Page{}, fmt.Errorf("read deliveries: %w", err)
	}
	return page, nil
}

// where returns the condition of a query.
func (q Query) where(dialect engine.Dialect) (string, []any, error) {
	if q.Limit < 0 || q.Limit > 1000 {
		return "", nil, fmt.Errorf("%w: a page has up to 1000 deliveries, not %d", ErrQuery, q.Limit)
	}
	terms, args := []string{"true"}, []any(nil)
	add := func(term string, values ...any) {
		var numbers []any
		for _, v := range values {
			args = append(args, v)
			numbers = append(numbers, len(args))
		}
		terms = append(terms, fmt.Sprintf(term, numbers...))
	}
	if len(q.States) == 1 { // of which some have an index
		text, err := q.States[0].MarshalText()
		if err != nil {
			return "", nil, fmt.Errorf("%w: %w", ErrQuery, err)
		}
		terms = append(terms, "d.state = '"+string(text)+"'")
	} else if len(q.States) > 1 {
		for _, s := range q.States {
			if _, err := s.MarshalText(); err != nil {
				return "", nil, fmt.Errorf("%w: %w", ErrQuery, err)
			}
		}
		args = append(args, engine.JSON(q.States))
		terms = append(terms, "d.state IN "+dialect.In(len(args)))
	}
	if q.SubscriptionID != "" {
		add("d.subscription_id = $%d", q.SubscriptionID)
	}
	if q.Endpoint != "" {
		add("d.endpoint = $%d", q.Endpoint)
	}
	if !q.From.IsZero() {
		add("d.created >= $%d", micros(q.From))
	}
	if !q.To.IsZero() {
		add("d.created < $%d", micros(q.To))
	}
	if q.After != "" {
		var created int64
		text, id, _ := strings.Cut(q.After, "/")
		if _, err := fmt.Sscan(text, &created); err != nil || id == "" {
			return "", nil, fmt.Errorf("%w: %q is no cursor of a page", ErrQuery, q.After)
		}
		sign := ">"
		if q.Newest {
			sign = "<"
		}
		add("(d.created, d.event_id) "+sign+" ($%d, $%d)", created, id)
	}
	return strings.Join(terms, " AND "), args, nil
}

// Story is what happened to a delivery, call by call, and what comes next.
type Story struct {
	Delivery Delivery
	// Body is what every call sends.
	Body []byte
	// Timeline is what counts by the schedule, of the present life.
	Timeline webhookpolicy.Timeline
	// Calls are all that were made, oldest first, also those of earlier lives,
	// probes, and those that a process died in.
	Calls []Call
}

// Call is one call, as it is kept.
type Call struct {
	Epoch    int
	Number   int // what it said of itself (WHK-6)
	Attempt  int // of the job: more than one if a process died, or lost its database
	Probe    bool
	Endpoint string
	Began    time.Time
	// Ended is the zero time, and Record empty, as long as nobody has told how
	// it ended.
	Ended  time.Time
	Record caller.Record
}

// String returns a line.
func (c Call) String() string {
	text := fmt.Sprintf("%d  %s  ", c.Number, c.Began.Format(time.RFC3339))
	if c.Probe {
		text += "probe, "
	}
	if c.Ended.IsZero() {
		return text + "how it ended is not known"
	}
	return text + c.Record.String()
}

// String returns the timeline, and below it what is not in it.
func (s Story) String() string {
	var b strings.Builder
	b.WriteString(strings.TrimSuffix(s.Timeline.String(), "\n"))
	if len(s.Calls) > 0 {
		b.WriteString("\ncalls:")
	}
	for _, c := range s.Calls {
		b.WriteString("\n  " + c.String())
	}
	return b.String()
}

// Explain tells the story of a delivery. It returns an error that unwraps to
// [ErrNotFound] if there is none.
func (d *Deliverer) Explain(ctx context.Context, eventID string) (Story, error) {
	var s Story
	err := d.queue.Query(ctx, func(scan engine.Scan) error {
		var body string
		r, err := readRow(scan, &body)
		if err != nil {
			return err
		}
		s = Story{Delivery: r.public(), Body: []byte(body), Timeline: webhookpolicy.Explain(r.delivery, d.o.Policy)}
		return nil
	}, `SELECT `+rowColumns+`, d.body FROM sluice_deliveries d WHERE d.event_id = $1`, eventID)
	if err != nil {
		return s, fmt.Errorf("read delivery %s: %w", eventID, err)
	}
	if s.Delivery.IsZero() {
		return s, fmt.Errorf("delivery %s: %w", eventID, ErrNotFound)
	}
	err = d.queue.Query(ctx, func(scan engine.Scan) error {
		c, err := readCall(scan)
		s.Calls = append(s.Calls, c)
		return err
	}, `SELECT epoch, number, attempt, began, ended, probe, endpoint, record FROM sluice_calls
		WHERE event_id = $1 ORDER BY epoch, number, attempt`, eventID)
	if err != nil {
		return s, fmt.Errorf("read the calls of %s: %w", eventID, err)
	}
	return s, nil
}

func readCall(scan engine.Scan) (Call, error) {
	var c Call
	var began int64
	var ended *int64
	var record *string
	err := scan(&c.Epoch, &c.Number, &c.Attempt, &began, &ended, &c.Probe, &c.Endpoint, &record)
	if err != nil {
		return c, err
	}
	c.Began = moment(began)
	if ended != nil {
		c.Ended = moment(*ended)
	}
	if record != nil {
		err = json.Unmarshal([]byte(*record), &c.Record)
	}
	return c, err
}
