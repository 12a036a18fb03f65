// Package sluice is the map of a library for workflow sessions: what a company
// asks of a customer (verify an identity, check a bank account, sign a
// contract), and where that stands.
//
// There is nothing to import here. Begin with package session; the others are
// what it is made of, and can be used alone:
//
//   - fsm compiles transition tables; fsm/looplab joins them to looplab/fsm.
//   - action knows the resources: their types, statuses and events, and what to
//     believe when a webhook comes late.
//   - attempt chains the attempts at one thing, and knows when another may
//     follow.
//   - group computes the status of a group.
//   - session applies commands to sessions and tells what blocks them;
//     session/memstore keeps them in memory, session/sessiontest tests whatever
//     else keeps them.
//   - webhookpolicy decides who is called by a webhook, how, when again after a
//     failure, and when no more.
//   - transcript prints what happens, for people.
//
// The rules themselves, with the ids that errors name, are in
// conformance/SPEC.md.
package sluice
