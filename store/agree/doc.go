// Package agree holds the stores together. It has tests alone: whatever is done
// to the store in memory, the one on SQLite and the one on PostgreSQL, all three
// answer the same, with the same errors; and whatever happens to the rows of one
// session, both databases say the same of it.
//
// The properties are state machines. By default they make 25 checks of 20 steps;
// longer runs are rapid's:
//
//	go test ./store/agree -rapid.checks=3000 -rapid.steps=30 -timeout 0
//
// A failure prints the steps that lead to it, and how to see it again.
package agree
