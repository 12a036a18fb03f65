package answer

import (
	"encoding/json"
	"fmt"

	"github.com/sluicego/sluice/session"
)

// documentsArea is the public API's documents, and a session that commands go on
// with.
type documentsArea struct{ sessionArea }

func openDocuments(given json.RawMessage) (area, error) {
	return &documentsArea{}, read(given, &struct{}{})
}

// documentText is a document in a step: JSON, or a text that is none.
type documentText struct {
	Document json.RawMessage `json:"document"`
	Text     *string         `json:"text"`
}

func (d documentText) bytes() []byte {
	if d.Text != nil {
		return []byte(*d.Text)
	}
	return d.Document
}

func (a *documentsArea) step(do string, text json.RawMessage) (object, error) {
	switch do {
	case "read":
		return take(text, a.read)
	case "write":
		return take(text, func(struct{}) (object, error) {
			document, err := json.Marshal(a.session)
			return object{"document": json.RawMessage(document)}, err
		})
	case "read_template":
		return take(text, readTemplate)
	case "read_page":
		return take(text, readPage)
	case "write_page":
		return take(text, writePage)
	default:
		return a.sessionArea.step(do, text)
	}
}

func (a *documentsArea) read(d documentText) (object, error) {
	s, mismatches, err := session.ParseDocument(d.bytes())
	if err != nil {
		return nil, err
	}
	a.session = s
	list := []object{}
	for _, m := range mismatches {
		o := object{"shown": m.Shown, "derived": m.Derived}
		if m.Group != 0 {
			o["group_type"] = m.Group
		}
		list = append(list, o)
	}
	return object{"session": show(s), "mismatches": list}, nil
}

func readTemplate(d documentText) (object, error) {
	var t session.Template
	if err := document(d.bytes(), &t); err != nil {
		return nil, err
	}
	groups := []object{}
	for _, g := range t.ActionGroups {
		groups = append(groups, object{"type": g})
	}
	return object{"template": object{
		"id": t.ID, "name": t.Name, "action_groups": groups, "workspaces": append([]string{}, t.Workspaces...),
	}}, nil
}

// document reads a document. That a text is no JSON at all encoding/json says
// itself, before the library is asked.
func document(data []byte, v json.Unmarshaler) error {
	if !json.Valid(data) {
		return fmt.Errorf("%w: no JSON", session.ErrDocument)
	}
	return json.Unmarshal(data, v)
}

func readPage(s struct {
	documentText
	Of string `json:"of"`
},
) (object, error) {
	switch s.Of {
	case "session":
		return pageOf(s.bytes(), session.Session.ID)
	case "template":
		return pageOf(s.bytes(), func(t session.Template) string { return t.ID })
	default:
		return nil, fmt.Errorf("there are no pages of %q", s.Of)
	}
}

func pageOf[T any](data []byte, id func(T) string) (object, error) {
	var page session.Page[T]
	if err := document(data, &page); err != nil {
		return nil, err
	}
	ids := []string{}
	for _, item := range page.Items {
		ids = append(ids, id(item))
	}
	return object{"ids": ids, "next_cursor": orNull(page.NextCursor)}, nil
}

// orNull is a text, null for none.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func writePage(s struct {
	Of         string          `json:"of"`
	Items      json.RawMessage `json:"items"`
	NextCursor string          `json:"next_cursor"`
},
) (object, error) {
	switch s.Of {
	case "session":
		return pageWith[session.Session](s.Items, s.NextCursor)
	case "template":
		return pageWith[session.Template](s.Items, s.NextCursor)
	default:
		return nil, fmt.Errorf("there are no pages of %q", s.Of)
	}
}

func pageWith[T any](items json.RawMessage, next string) (object, error) {
	page := session.Page[T]{NextCursor: next}
	if err := json.Unmarshal(items, &page.Items); err != nil {
		return nil, err
	}
	text, err := json.Marshal(page)
	return object{"document": json.RawMessage(text)}, err
}
