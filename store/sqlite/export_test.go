package sqlite

import (
	"context"
	"database/sql/driver"
)

// OpenWith is Open with connections of the test's own making.
func OpenWith(ctx context.Context, path string, connect func(dsn string) (driver.Connector, error)) (*Store, error) {
	return open(ctx, path, Options{}, connect)
}

// The statements that write a session, for a benchmark that sends them itself.
const (
	InsertSession      = insertSession
	UpdateSession      = updateSession
	InsertEvent        = insertEvent
	InsertResource     = insertResource
	InsertAnnouncement = insertAnnouncement
)
