// Package rows compares what the stores keep in columns and indexes with what it
// was made of: lists and webhooks go by these, and would go astray unnoticed.
package rows

import (
	"fmt"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// Columns are what lists look at beside the snapshot of a session.
type Columns struct {
	Status, Workspace, Template string
	Created, Updated            int64 // Unix seconds
}

// Compare returns a [*session.CorruptError] for each column that tells something
// else than the session does.
func (c Columns) Compare(s session.Session) []error {
	var errs []error
	same := func(column, has, want string) {
		if has != want {
			errs = append(errs, &session.CorruptError{
				SessionID: s.ID(), Version: s.Version(), Column: column,
				Err: fmt.Errorf("it is %q, but the snapshot has %q", has, want),
			})
		}
	}
	text := func(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }
	same("status", c.Status, s.Status().String())
	same("workspace_id", c.Workspace, s.WorkspaceID())
	same("template_id", c.Template, s.TemplateID())
	same("created_at", text(c.Created), text(s.CreatedAt().Unix()))
	same("updated_at", text(c.Updated), text(s.UpdatedAt().Unix()))
	return errs
}

// AppendLinked appends the ids of the resources that a record links. What is no
// id, and came out of a damaged row, is left out: no database need be asked for it.
func AppendLinked(ids []string, r session.Record) []string {
	for _, e := range r.Events {
		if f, ok := e.Fact.(session.Linked); ok && action.CheckID(f.Resource.ID) == "" {
			ids = append(ids, f.Resource.ID)
		}
	}
	return ids
}

// CompareLinked returns a [*session.CorruptError] for each resource that a record
// links and that is found in another session, or in none.
func CompareLinked(r session.Record, found map[string]string) []error {
	var errs []error
	for _, e := range r.Events {
		f, ok := e.Fact.(session.Linked)
		if in := found[f.Resource.ID]; ok && in != r.ID {
			errs = append(errs, &session.CorruptError{
				SessionID: r.ID, Version: e.Version, Column: "resource",
				Err: fmt.Errorf("%s is found in session %q", f.Resource.ID, in),
			})
		}
	}
	return errs
}
