package main

import (
	"context"
	"fmt"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/session"
)

func (st *story) refusedRetries(ctx context.Context) {
	const (
		ines    = "e4a7c916-58d0-4b3f-a2e6-0d9f7b1c8354"
		first   = "9b30e5d8-f2c4-4716-8ea9-61d7c0a4f583"
		second  = "27fc8b01-a6e9-4d35-b0f8-9c5e3a7d1642"
		next    = "6ad1f394-0c7b-4e58-91b6-d8e20f5a7c39"
		unknown = "00d9c7e2-5f18-4a6b-8c03-b7e6f1d2a495"
	)
	st.chapter(ines, "Retries that are refused", `
		Every retry here is refused, but for those that lead to the next
		refusal. A refusal names its rule, and leaves the session as it was.`)

	if st.at("2025-10-06 09:00:00", "A session is created") {
		st.do(st.onboards(ctx, "Inês Costa"))
	}
	if st.at("2025-10-06 09:01:00", "She sends a photo of her identity card") {
		st.do(st.idCheck(ctx, "", "photo 1", first, "pending"))
	}
	if st.at("2025-10-06 09:02:00", "A retry before the outcome is known") {
		st.refused("ATT-1", st.idCheck(ctx, first, "photo 2", next, "pending"))
	}
	if st.at("2025-10-06 09:03:00", "The verification fails") {
		st.do(st.hears(ctx, idChecked, first, "failed"))
	}

	if st.at("2025-10-06 09:04:00", "A retry with the same photo") {
		st.refused("ATT-6", st.idCheck(ctx, first, "photo 1", next, "pending"))
	}

	if st.at("2025-10-06 09:05:00", "A retry that does not tell its inputs") {
		st.refused("ATT-6", st.host.update(ctx, ines, session.Link{
			PreviousAttemptID: first, Resource: action.Resource{
				ID: next, Type: action.TypeIdentityDocumentVerification, Status: action.Pending,
				CreatedAt: st.now, AsOf: st.now,
			},
		}))
	}

	if st.at("2025-10-06 09:06:00", "A retry by video, which is another type") {
		st.refused("ATT-4", st.verification(ctx, action.TypeIdentityVideoVerification, first, "video", next, "pending"))
	}

	if st.at("2025-10-06 09:07:00", "A retry of what this session does not have") {
		st.refused("ATT-8", st.idCheck(ctx, unknown, "photo 2", next, "pending"))
	}

	if st.at("2025-10-06 09:08:00", "A retry with Kelly Smith's verification") {
		st.refused("ATT-12", st.idCheck(ctx, first, "photo 2", kellyCard, "verified"))
	}

	if st.at("2025-10-06 09:09:00", "A retry with another photo, which is taken") {
		st.do(st.idCheck(ctx, first, "photo 2", second, "failed"))
	}

	if st.at("2025-10-06 09:10:00", "A retry of the attempt that was just replaced") {
		st.refused("ATT-8", st.idCheck(ctx, first, "photo 3", next, "pending"))
	}

	st.tenAttempts(ctx, second)
}

// tenAttempts goes on until there are as many attempts as there may be.
func (st *story) tenAttempts(ctx context.Context, previous string) {
	const next = "6ad1f394-0c7b-4e58-91b6-d8e20f5a7c39"
	noon := time.Date(2025, 10, 6, 12, 0, 0, 0, time.UTC)
	for n := 3; n <= attempt.Max; n++ {
		id := fmt.Sprintf("%08x-7c3d-4e1a-b5f2-90d6a8c4e7b1", 0x31c5a90e+n*0x0badf00d)
		clock := noon.Add(time.Duration(n) * time.Minute).Format(time.DateTime)
		title := "" // not told
		if n == attempt.Max {
			title = "Eight photos later"
		}
		if st.at(clock, title) {
			st.do(st.idCheck(ctx, previous, fmt.Sprint("photo ", n), id, "failed"))
		}
		previous = id
	}

	if st.at("2025-10-06 12:20:00", "An eleventh attempt") {
		st.refused("ATT-5", st.idCheck(ctx, previous, "photo 11", next, "pending"))
	}

	if st.at("2025-10-06 15:00:00", "She shows her card at the counter instead") {
		st.do(st.host.resolve(ctx, st.session, previous, "j.roux", []byte(`{"reason": "Seen at the counter."}`)))
	}

	if st.at("2025-10-06 15:05:00", "A retry of what was resolved") {
		st.refused("ATT-3", st.idCheck(ctx, previous, "photo 11", next, "pending"))
	}

	st.session = kelly
	if st.at("2025-10-06 15:10:00", "A retry of what succeeded, in the first session") {
		st.refused("ATT-2", st.idCheck(ctx, kellyCard, "photo 2", next, "pending"))
	}
}

func (st *story) lateAndTwice(ctx context.Context) {
	const (
		yuki     = "d03b6f82-9e5c-4a17-b8d4-6c1f0e7a2953"
		contract = "7e94c0a1-2d8f-4b56-a3e7-f5b8d1609c24"
	)
	st.chapter(yuki, "Webhooks that come late, and twice", `
		Webhooks are repeated for days, and overtake each other. Each tells of a
		status and of the time since when; a session believes what is latest.`)

	if st.at("2025-10-07 08:00:00", "A session is created") {
		st.do(st.onboards(ctx, "Yuki Tanaka"))
	}

	if st.at("2025-10-07 08:05:00", "The contract is drawn up") {
		st.do(st.contract(ctx, "", "2025-11-07", contract, "draft"))
	}

	signed := time.Date(2025, 10, 7, 9, 30, 0, 0, time.UTC)
	if st.at("2025-10-07 09:30:02", "It is signed; that it was sent was not heard of") {
		st.do(st.hearsOf(ctx, signed, "signature_request.done", contract, "done"))
	}

	if st.at("2025-10-07 09:38:00", "The webhook of its sending arrives") {
		st.do(st.hearsOf(ctx, signed.Add(-time.Hour), "signature_request.activated", contract, "ongoing"))
	}

	if st.at("2025-10-07 09:40:00", "The webhook of its signing arrives again") {
		st.do(st.hearsOf(ctx, signed, "signature_request.done", contract, "done"))
	}

	if st.at("2025-10-07 11:00:00", "A webhook that cannot be true") {
		st.refused("ACT-4", st.hears(ctx, "signature_request.declined", contract, "declined"))
	}
}
