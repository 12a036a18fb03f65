package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/webhookpolicy"
)

// micros returns a time as it is kept.
func micros(t time.Time) int64 { return t.UnixMicro() }

// moment returns a time that is kept.
func moment(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// row is a delivery as it is kept.
type row struct {
	EventID        string `json:"event_id"`
	SubscriptionID string `json:"subscription_id"`
	EventName      string `json:"event_name,omitempty"`
	Endpoint       string `json:"endpoint"` // whose release it waits for, if it is parked
	Epoch          int    `json:"epoch"`
	Number         int    `json:"number"`
	State          string `json:"state"`
	Queued         bool   `json:"queued"`
	Created        int64  `json:"created"`
	Due            *int64 `json:"due"`
	Ended          *int64 `json:"ended"`
	Document       string `json:"document"`
	Body           string `json:"body,omitempty"`

	delivery webhookpolicy.Delivery // the document
}

// put takes in the next delivery. endpoint is that of the subscription; a delivery
// that has ended keeps the one that it was called at.
func (r *row) put(d webhookpolicy.Delivery, endpoint string, now time.Time) error {
	document, err := json.Marshal(d)
	if err != nil {
		return err
	}
	r.delivery, r.Document = d, string(document)
	r.State, r.Number, r.Created = d.State().String(), d.Number(), micros(d.Created())
	r.Queued, r.Due, r.Ended = false, nil, nil
	if endpoint != "" {
		r.Endpoint = endpoint
	}
	at := micros(now)
	if d.State().IsEnd() {
		r.Ended = &at
		return nil
	}
	due := micros(d.Due())
	r.Due, r.Queued = &due, d.State() != webhookpolicy.Parked
	return nil
}

// rowColumns are what readRow reads.
const rowColumns = `d.event_id, d.subscription_id, d.event_name, d.endpoint, d.epoch, d.number, d.state,
	d.queued, d.created, d.due, d.ended, d.document`

// readRow reads rowColumns and what follows them.
func readRow(scan engine.Scan, more ...any) (*row, error) {
	r := &row{}
	err := scan(append([]any{
		&r.EventID, &r.SubscriptionID, &r.EventName, &r.Endpoint, &r.Epoch, &r.Number, &r.State,
		&r.Queued, &r.Created, &r.Due, &r.Ended, &r.Document,
	}, more...)...)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(r.Document), &r.delivery); err != nil {
		return nil, fmt.Errorf("delivery %s: %w", r.EventID, err)
	}
	return r, nil
}

// standing is a delivery with what a decision about it depends on.
type standing struct {
	*row
	subscription webhookpolicy.Subscription
	health       webhookpolicy.Health // of the endpoint that the subscription has
}

// standings reads deliveries with what they depend on, and locks them until the end
// of the transaction.
func (d *Deliverer) standings(ctx context.Context, tx engine.Tx, ids []string) (map[string]*standing, error) {
	all := make(map[string]*standing, len(ids))
	return all, tx.Send(ctx, d.readStandings(tx.Dialect(), true, ids, all))
}

// readStandings reads deliveries with their subscriptions and the health of their
// endpoints. Locked, nobody else changes them until the end of the transaction.
func (d *Deliverer) readStandings(dialect engine.Dialect, lock bool, ids []string, all map[string]*standing) engine.Statement {
	query := `SELECT ` + rowColumns + `, d.body, s.revision, s.document, e.document
		FROM sluice_deliveries d
		LEFT JOIN sluice_subscriptions s ON s.id = d.subscription_id
		LEFT JOIN sluice_endpoints e ON e.endpoint = s.endpoint
		WHERE d.event_id IN ` + dialect.In(1) + ` ORDER BY d.event_id`
	if lock {
		query += dialect.Lock("d")
	}
	return engine.Statement{What: "read deliveries", Query: query, Args: []any{engine.JSON(ids)}, Each: func(scan engine.Scan) (err error) {
		s := &standing{}
		var body string
		var revision *int64
		var subscription, health *string
		if s.row, err = readRow(scan, &body, &revision, &subscription, &health); err != nil {
			return err
		}
		s.Body = body
		if s.subscription, err = d.directory.read(s.SubscriptionID, revision, subscription); err != nil {
			return err
		}
		if s.health, err = readHealth(health); err != nil {
			return err
		}
		all[s.EventID] = s
		return nil
	}}
}

func readHealth(document *string) (h webhookpolicy.Health, err error) {
	if document != nil {
		err = json.Unmarshal([]byte(*document), &h)
	}
	return h, err
}

// updateRows writes deliveries that are locked.
func updateRows(dialect engine.Dialect, rows []*row) engine.Statement {
	return engine.Statement{What: "write deliveries", Query: `UPDATE sluice_deliveries AS d
		SET endpoint = r.endpoint, epoch = r.epoch, number = r.number, state = r.state, queued = r.queued,
			created = r.created, due = r.due, ended = r.ended, document = r.document
		FROM ` + dialect.Records(1, "r", `event_id text, endpoint text, epoch bigint, number bigint, state text, `+
		`queued boolean, created bigint, due bigint, ended bigint, document text`) + `
		WHERE d.event_id = r.event_id`, Args: []any{engine.JSON(rows)}}
}

// insertRows writes new deliveries and returns the ids of those that were not
// there.
func insertRows(ctx context.Context, tx engine.Tx, rows []*row) (map[string]bool, error) {
	fresh := make(map[string]bool, len(rows))
	if len(rows) == 0 {
		return fresh, nil
	}
	err := tx.Query(ctx, func(scan engine.Scan) error {
		var id string
		defer func() { fresh[id] = true }()
		return scan(&id)
	}, `INSERT INTO sluice_deliveries (event_id, subscription_id, event_name, endpoint, epoch, number, state,
			queued, created, due, ended, document, body)
		SELECT event_id, subscription_id, event_name, endpoint, epoch, number, state,
			queued, created, due, ended, document, body
		FROM `+tx.Dialect().Records(1, "r", `event_id text, subscription_id text, event_name text, endpoint text, `+
		`epoch bigint, number bigint, state text, queued boolean, created bigint, due bigint, ended bigint, `+
		`document text, body text`)+`
		WHERE true ON CONFLICT DO NOTHING RETURNING event_id`, engine.JSON(rows))
	if err != nil {
		return nil, fmt.Errorf("write new deliveries: %w", err)
	}
	return fresh, nil
}

// lockHealth reads the health of endpoints, which nobody else changes until the
// end of the transaction. All are locked in one order, before any delivery is.
func lockHealth(ctx context.Context, tx engine.Tx, endpoints map[string]bool) (map[string]webhookpolicy.Health, error) {
	all := make(map[string]webhookpolicy.Health, len(endpoints))
	if len(endpoints) == 0 {
		return all, nil
	}
	return all, tx.Send(ctx, readHealths(tx.Dialect(), endpoints, all))
}

func readHealths(dialect engine.Dialect, endpoints map[string]bool, all map[string]webhookpolicy.Health) engine.Statement {
	query := `SELECT endpoint, document FROM sluice_endpoints WHERE endpoint IN ` + dialect.In(1) +
		` ORDER BY endpoint` + dialect.Lock("sluice_endpoints")
	each := func(scan engine.Scan) error {
		var endpoint, document string
		if err := scan(&endpoint, &document); err != nil {
			return err
		}
		h, err := readHealth(&document)
		all[endpoint] = h
		return err
	}
	list := slices.Collect(maps.Keys(endpoints))
	return engine.Statement{What: "read the health of endpoints", Query: query, Args: []any{engine.JSON(list)}, Each: each}
}

// endpointRow is the health of an endpoint as it is kept.
type endpointRow struct {
	Endpoint  string `json:"endpoint"`
	Condition string `json:"condition"`
	Changed   int64  `json:"changed"`
	Document  string `json:"document"`
}

// endpointColumns are those of endpointRow.
const endpointColumns = `endpoint text, condition text, changed bigint, document text`

// ensureEndpoints has a row for endpoints that have none, so that it can be
// locked.
func ensureEndpoints(dialect engine.Dialect, endpoints map[string]bool, now time.Time) engine.Statement {
	return engine.Statement{What: "write endpoints", Query: `INSERT INTO sluice_endpoints (endpoint, condition, changed, document)
		SELECT endpoint, condition, changed, document FROM ` + dialect.Records(1, "r", endpointColumns) + `
		WHERE true ORDER BY endpoint ON CONFLICT DO NOTHING`, Args: []any{endpointRows(endpoints, nil, now)}}
}

// putHealth writes the health of endpoints that are locked.
func putHealth(dialect engine.Dialect, changed map[string]bool, health map[string]webhookpolicy.Health, now time.Time) engine.Statement {
	return engine.Statement{What: "write the health of endpoints", Query: `UPDATE sluice_endpoints AS e
		SET condition = r.condition, changed = r.changed, document = r.document
		FROM ` + dialect.Records(1, "r", endpointColumns) + ` WHERE e.endpoint = r.endpoint`,
		Args: []any{endpointRows(changed, health, now)}}
}

// endpointRows returns the parameter of endpointColumns. What is not in health is
// open.
func endpointRows(endpoints map[string]bool, health map[string]webhookpolicy.Health, now time.Time) string {
	var rows []endpointRow
	for e := range endpoints {
		h := health[e]
		rows = append(rows, endpointRow{e, h.Condition().String(), micros(now), engine.JSON(h)})
	}
	return engine.JSON(rows)
}
