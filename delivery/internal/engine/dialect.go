package engine

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Dialect is the SQL of a database.
type Dialect uint8

// The dialects.
const (
	SQLite Dialect = iota
	PostgreSQL
)

// Lock returns what a SELECT ends with whose rows nobody else may change until
// the end of the transaction. In SQLite nobody else writes anyhow.
func (d Dialect) Lock(table string) string {
	if d == SQLite {
		return ""
	}
	return " FOR UPDATE OF " + table
}

// Records returns the rows of a FROM clause that a parameter holds: see [JSON].
// Columns are names with a type of PostgreSQL, text, bigint or boolean:
// "event_id text, epoch bigint".
func (d Dialect) Records(parameter int, name, columns string) string {
	p := "$" + strconv.Itoa(parameter)
	if d == PostgreSQL {
		return "json_to_recordset(" + p + "::json) AS " + name + "(" + columns + ")"
	}
	var list []string
	for column := range strings.SplitSeq(columns, ", ") {
		column, _, _ = strings.Cut(column, " ")
		list = append(list, "value->>'"+column+"' AS "+column)
	}
	return "(SELECT " + strings.Join(list, ", ") + " FROM json_each(" + p + ")) AS " + name
}

// In returns the list that a parameter holds, for the right side of IN: see
// [JSON].
func (d Dialect) In(parameter int) string {
	p := "$" + strconv.Itoa(parameter)
	if d == PostgreSQL {
		return "(SELECT json_array_elements_text(" + p + "::json))"
	}
	return "(SELECT value FROM json_each(" + p + "))"
}

// JSON returns a parameter for Records, of a slice of structs, or for In, of a
// slice of strings.
func JSON(list any) string {
	text, err := json.Marshal(list)
	if err != nil {
		panic("engine: " + err.Error()) // texts, numbers and times are always written
	}
	if string(text) == "null" {
		return "[]" // PostgreSQL makes no rows of what is no list
	}
	return string(text)
}
