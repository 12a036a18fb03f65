package main

import (
	"context"
	"fmt"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/bench/internal/measure"
	"github.com/sluicego/sluice/bench/internal/report"
	"github.com/sluicego/sluice/session"
)

func holdMemory(_ context.Context, s settings) (report.Section, error) {
	many, fewer := s.scaled(1_000_000, 1_000), s.scaled(10_000, 100)
	section := report.Section{
		Title: "Memory: sessions that are alive",
		About: []string{
			"Sessions as in the guide of the platform: an identity that is verified, a signature request under way. Ids are of 36" +
				" characters each, and shared by nobody; they are counted in.",
		},
		Notes: []string{
			"plain structs: the document of the public API in memory, as encoding/json fills it; they keep neither the times of" +
				" what providers said nor digests of inputs, nor do they know how a status may move",
			"looplab/fsm: the same ids, and an FSM for each resource",
		},
	}
	t := report.Table{Caption: "Bytes of a session", Header: []string{"", "sessions", "bytes of one", "all of them"}}
	add := func(name string, n int, kept uint64) float64 {
		each := float64(kept) / float64(n)
		t.Rows = append(t.Rows, []string{
			name, report.Significant(float64(n)), report.Significant(each), fmt.Sprintf("%.0f MiB", float64(kept)/(1<<20)),
		})
		return each
	}
	sessions, kept := measure.Kept(func() []session.Session {
		list := make([]session.Session, many)
		for i := range list {
			list[i] = onboarding(i, action.Ongoing).Session
		}
		return list
	})
	each := add(nameSluice, many, kept)
	section.Goals = []report.Goal{report.AtMost("bytes of a live session, of 1,000,000", "%.0f", 1024, measure.Exactly(each))}
	if s.quick {
		section.Goals[0].What = "bytes of a live session"
	}
	plain, kept := measure.Kept(func() []plainSession {
		list := make([]plainSession, many)
		for i := range list {
			list[i] = plainOnboarding(i)
		}
		return list
	})
	add("plain structs", many, kept)
	hosts, kept := measure.Kept(func() []*hostSession {
		list := make([]*hostSession, fewer)
		for i := range list {
			list[i] = hostOnboarding(i)
		}
		return list
	})
	add(nameLoop, fewer, kept)
	// Alive until here, or they would not be counted.
	keptNumber += len(sessions) + len(plain) + len(hosts)
	section.Tables = []report.Table{t}
	return section, nil
}

// plainOnboarding is the session of the guide in plain structs.
func plainOnboarding(n int) plainSession {
	home := workspace
	resource := func(i int, t action.Type, s action.Status) plainAction {
		return plainAction{Resource: plainResource{
			ID: id(idResource, i), CreatedAt: noon.Add(time.Second), Type: t.String(), Status: s.String(),
		}}
	}
	return plainSession{
		ID: id(idSession, n), Name: "Onboarding of Kelly Smith", TemplateID: guide.ID, WorkspaceID: &home,
		Status: "ongoing", CreatedAt: noon, UpdatedAt: noon.Add(time.Second),
		ActionGroups: []plainGroup{
			{"identity_verification", "done", []plainAction{
				resource(2*n, action.TypeIdentityDocumentVerification, action.Verified),
			}},
			{"signature_request", "ongoing", []plainAction{resource(2*n+1, action.TypeSignatureRequest, action.Ongoing)}},
		},
	}
}

// hostOnboarding is the session of the guide as the host has it that is written by
// hand: a machine for each resource. Its verification has the machine of signature
// requests too, which is what it would have of its own, but for the names.
func hostOnboarding(n int) *hostSession {
	return &hostSession{status: "ongoing", groups: []*hostGroup{
		{"done", []*hostAction{{id(idResource, 2*n), newLoop("done"), noon.Unix(), false}}},
		{"ongoing", []*hostAction{{id(idResource, 2*n+1), newLoop("ongoing"), noon.Unix(), false}}},
	}}
}
