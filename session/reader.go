package session

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/internal/jsonscan"
)

// readDocument is json.Unmarshal of the public API's document of a session.
func readDocument(data []byte) (doc documentJSON, err error) {
	s := jsonscan.New(data, jsonscan.MaxDepth)
	if !read(&s, &doc) || !s.End() {
		doc = documentJSON{}
		err = json.Unmarshal(data, &doc)
	}
	return doc, err
}

// read reads the next value into a part of a document, several times as fast as
// json.Unmarshal. It reports false if the value is not as programs write it, and
// not for read to judge: a mistake, but also a member that stands twice, or whose
// name has capitals. Whatever was read is void then.
func read(s *jsonscan.Scanner, into any) bool {
	if s.Null() {
		return true // to encoding/json, null says nothing
	}
	switch into := into.(type) {
	case *documentJSON:
		return readObject(s,
			member{"id", &into.ID}, member{"name", &into.Name},
			member{"workflow_template_id", &into.TemplateID}, member{"workspace_id", &into.WorkspaceID},
			member{"status", &into.Status}, member{"action_groups", &into.ActionGroups},
			member{"created_at", &into.CreatedAt}, member{"updated_at", &into.UpdatedAt})
	case *groupJSON:
		return readObject(s,
			member{"type", &into.Type}, member{"status", &into.Status}, member{"actions", &into.Actions})
	case *actionJSON:
		return readObject(s,
			member{"resource", &into.Resource}, member{"resolution", &into.Resolution},
			member{"previous_attempts", &into.PreviousAttempts})
	case *previousAttemptJSON:
		return readObject(s, member{"resource", &into.Resource})
	case *resourceJSON:
		return readObject(s,
			member{"id", &into.ID}, member{"created_at", &into.CreatedAt}, member{"type", &into.Type},
			member{"status", &into.Status}, member{"previous_attempt_id", &into.PreviousAttemptID})
	case **resolutionJSON:
		*into = new(resolutionJSON)
		return readObject(s, member{"reason", &(*into).Reason}, member{"resolved_at", &(*into).ResolvedAt})
	case *[]groupJSON:
		return readList(s, into)
	case *[]actionJSON:
		return readList(s, into)
	case *[]previousAttemptJSON:
		return readList(s, into)
	case **string:
		*into = new(string)
		return readText(s, *into)
	case *string:
		return readText(s, into)
	default:
		panic("session: a document has no such part")
	}
}

// member is what a member of an object is called, and what it is read into.
type member struct {
	name string
	into any
}

// readObject reads an object. Members that are not listed are left out.
func readObject(s *jsonscan.Scanner, members ...member) bool {
	if !s.Enter() {
		return false
	}
	for seen := uint(0); s.Next(); {
		name := s.Name()
		i := slices.IndexFunc(members, func(m member) bool { return m.name == string(name) })
		switch {
		case i < 0 && bytes.ContainsFunc(name, mayBeCapital):
			return false
		case i < 0:
			continue
		case seen>>i&1 == 1 || !read(s, members[i].into):
			return false
		}
		seen |= 1 << i
	}
	return true
}

// mayBeCapital reports whether encoding/json may take a letter of a name for a
// small one.
func mayBeCapital(letter rune) bool { return 'A' <= letter && letter <= 'Z' || letter > '~' }

func readList[T any](s *jsonscan.Scanner, into *[]T) bool {
	if !s.EnterList() {
		return false
	}
	for *into = []T{}; s.NextElement(); {
		*into = append(*into, *new(T))
		if !read(s, &(*into)[len(*into)-1]) {
			return false
		}
	}
	return true
}

func readText(s *jsonscan.Scanner, into *string) (ok bool) {
	value := s.Value()
	if *into, ok = words[string(value)]; !ok {
		*into, ok = jsonscan.Text(value)
	}
	return ok
}

// words has the texts of types and statuses, which take no memory each time, by
// their JSON.
var words = func() map[string]string {
	words := map[string]string{}
	addWords(words, group.Types())
	addWords(words, group.Statuses())
	addWords(words, action.Types())
	addWords(words, action.Statuses())
	return words
}()

func addWords[T fmt.Stringer](words map[string]string, values []T) {
	for _, v := range values {
		words[`"`+v.String()+`"`] = v.String()
	}
}
