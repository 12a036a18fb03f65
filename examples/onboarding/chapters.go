package main

import (
	"context"
	"strings"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
)

// What the bodies of the first chapter speak of, and the other chapters too.
const (
	template  = "35a07993-2b0c-4b7e-9f53-0c8c1d6d5a10"
	workspace = "814aac47-6f3e-4b0a-8a4d-2f6f9f0f7c11"
	kelly     = "c0cbf043-5d0e-4a8c-b1a7-9be3f1f5e2c4"
	kellyCard = "79a291fc-8c52-4a35-9d2b-6f1f0e7a4b38"
)

// The webhooks of identity document verifications, whatever came of them.
const idChecked = "verification.identity_document.done"

func (st *story) firstSession(ctx context.Context) {
	st.chapter(kelly, "The first session", `
		Kelly Smith becomes a customer. The template asks for two things: that
		her identity is verified, and that she signs a contract. What is sent
		and received here stands in the directory requests.`)

	if st.at("2025-09-22 14:30:00", "A session is created") {
		st.do(st.host.createSession(ctx, kelly, st.body("create_session.json")))
	}

	if st.at("2025-09-22 14:32:30", "Her identity card is verified at once") {
		scan := strings.NewReader(string(st.body("identity_document.file.txt")))
		st.do(st.host.initiated(ctx, action.TypeIdentityDocumentVerification,
			st.body("identity_document.form.json"), st.body("identity_document.response.json"),
			attempt.File{Field: "file", Content: scan}))
	}

	if st.at("2025-09-22 14:34:00", "The contract is drawn up") {
		st.do(st.host.initiated(ctx, action.TypeSignatureRequest,
			st.body("signature_request.json"), st.body("signature_request.response.json")))
	}

	if st.at("2025-09-22 14:36:00", "The contract is sent to her") {
		st.do(st.host.webhook(ctx, st.body("signature_request_activated.webhook.json")))
	}

	if st.at("2025-09-22 14:40:00", "She signs, and all is done") {
		st.do(st.host.webhook(ctx, st.body("signature_request_done.webhook.json")))
	}
}

func (st *story) declined(ctx context.Context) {
	const (
		noah   = "1f6c0a9e-47d2-4c3b-8e15-90ab6d3f2c71"
		card   = "b3e7d1a4-5c28-4f90-9a6d-07c4e8f1b256"
		first  = "e91d4b70-3a6f-4812-b5c9-d20f7a8e6c43"
		second = "4c8a2f15-d7b0-49e6-8f31-a5e90b6c7d28"
	)
	st.chapter(noah, "A signer declines", `
		A signature request that is rejected, declined, canceled or expired
		blocks the session. To delete it is enough: what is deleted stays in
		sight and does not count. Then another one can be linked.`)

	if st.at("2025-09-23 09:00:00", "A session is created") {
		st.do(st.onboards(ctx, "Noah Martin"))
	}

	if st.at("2025-09-23 09:05:00", "His identity card is verified") {
		st.do(st.idCheck(ctx, "", "card", card, "verified"))
	}

	if st.at("2025-09-23 09:10:00", "The contract is sent to him") {
		st.do(st.contract(ctx, "", "2025-10-23", first, "ongoing"))
	}

	if st.at("2025-09-23 11:42:10", "He declines to sign") {
		st.do(st.hears(ctx, "signature_request.declined", first, "declined"))
	}

	if st.at("2025-09-23 14:00:30", "The contract is deleted, and blocks no more") {
		st.do(st.hears(ctx, "signature_request.deleted", first, "deleted"))
	}

	if st.at("2025-09-23 14:15:00", "Another contract is sent") {
		st.do(st.contract(ctx, "", "2025-10-23", second, "ongoing"))
	}

	if st.at("2025-09-23 15:03:20", "He signs") {
		st.do(st.hears(ctx, "signature_request.done", second, "done"))
	}
}

func (st *story) threeAttempts(ctx context.Context) {
	const (
		ana    = "72d5e8c1-0b94-4ea7-9c36-f81b2d7a5e09"
		first  = "0a5f9c3e-81b7-4d26-a4e8-3c7d60f2b915"
		second = "d64b7e02-9f1a-4c58-8b70-e2a9c5f31d84"
		third  = "58c1a3f7-2e6d-4b09-95f4-7d0b8e6a1c32"
	)
	st.chapter(ana, "Three attempts", `
		A verification that failed or was inconclusive can be tried again with
		other inputs. The newest attempt speaks for the action; those before it
		are frozen as they were.`)

	if st.at("2025-09-24 08:30:00", "A session is created") {
		st.do(st.onboards(ctx, "Ana Silva"))
	}

	if st.at("2025-09-24 08:32:00", "She sends a photo of her identity card") {
		st.do(st.idCheck(ctx, "", "a blurred photo", first, "pending"))
	}

	if st.at("2025-09-24 08:32:40", "It fails") {
		st.do(st.hears(ctx, idChecked, first, "failed"))
	}

	if st.at("2025-09-24 08:40:00", "She sends another photo") {
		st.do(st.idCheck(ctx, first, "a photo with a thumb on it", second, "pending"))
	}

	if st.at("2025-09-24 08:40:45", "It is inconclusive") {
		st.do(st.hears(ctx, idChecked, second, "inconclusive"))
	}

	if st.at("2025-09-24 09:05:00", "She sends a third one") {
		st.do(st.idCheck(ctx, second, "a sharp photo", third, "pending"))
	}

	if st.at("2025-09-24 09:05:30", "It is verified") {
		st.do(st.hears(ctx, idChecked, third, "verified"))
	}

	if st.at("2025-09-24 10:00:00", "A late word on the first attempt changes nothing") {
		st.do(st.hears(ctx, idChecked, first, "verified"))
	}
}

func (st *story) expired(ctx context.Context) {
	const (
		omar   = "a90e3d57-6c1f-4b82-8d4a-5e7f20c9b163"
		first  = "3d7f1b86-c05a-4e92-b1d7-84f6a2e09c5b"
		second = "c5206ea8-7d3b-4f14-9e80-1b9d4f7a63c2"
	)
	st.chapter(omar, "A deadline passes", `
		A signature request that expired can be reactivated. It can also be
		replaced by another attempt, and is frozen then: whatever happens to it
		later, its deletion too, is not reflected.`)

	if st.at("2025-09-25 10:00:00", "A session is created") {
		st.do(st.onboards(ctx, "Omar Haddad"))
	}

	if st.at("2025-09-25 10:05:00", "The contract is sent to him") {
		st.do(st.contract(ctx, "", "2025-10-02", first, "ongoing"))
	}

	if st.at("2025-10-02 00:00:05", "He does not sign in time") {
		st.do(st.hears(ctx, "signature_request.expired", first, "expired"))
	}

	if st.at("2025-10-02 09:30:00", "The contract is reactivated") {
		st.do(st.hears(ctx, "signature_request.reactivated", first, "ongoing"))
	}

	if st.at("2025-10-09 00:00:05", "He is late again") {
		st.do(st.hears(ctx, "signature_request.expired", first, "expired"))
	}

	if st.at("2025-10-09 09:00:00", "Another attempt, with more time") {
		st.do(st.contract(ctx, first, "2025-11-09", second, "ongoing"))
	}

	if st.at("2025-10-09 09:20:00", "The old contract is deleted, which changes nothing") {
		st.do(st.hears(ctx, "signature_request.deleted", first, "deleted"))
	}

	if st.at("2025-10-10 18:12:44", "He signs") {
		st.do(st.hears(ctx, "signature_request.done", second, "done"))
	}
}

func (st *story) vouched(ctx context.Context) {
	const (
		lea      = "5b82f4d9-e360-47a1-b9c5-2d6e8f0a7c14"
		card     = "f17a6c20-4b9e-4d83-8a52-c90e5d3b7f61"
		contract = "86e0d2b5-1f7c-4a69-93de-b4057c8f2ea9"
	)
	st.chapter(lea, "Somebody vouches", `
		Who has checked a document outside can say so. The verification keeps
		its status, and the group takes the action for done. Nothing validates
		what was said.`)

	if st.at("2025-10-01 13:00:00", "A session is created") {
		st.do(st.onboards(ctx, "Léa Dubois"))
	}

	if st.at("2025-10-01 13:02:00", "Her identity card cannot be read") {
		st.do(st.idCheck(ctx, "", "a worn card", card, "inconclusive"))
	}

	if st.at("2025-10-01 16:30:00", "She shows it at the counter") {
		st.do(st.host.resolve(ctx, lea, card, "m.keller",
			[]byte(`{"reason": "Seen at the counter, with her passport beside it."}`)))
	}

	if st.at("2025-10-01 16:31:00", "Once is enough") {
		st.refused("RSL-5", st.host.resolve(ctx, lea, card, "m.keller", []byte(`{}`)))
	}

	if st.at("2025-10-01 16:40:00", "The contract is sent to her, and canceled") {
		st.do(st.contract(ctx, "", "2025-11-01", contract, "canceled"))
	}

	if st.at("2025-10-01 16:45:00", "Nobody can vouch for a signature") {
		st.refused("RSL-1", st.host.resolve(ctx, lea, contract, "m.keller", []byte(`{}`)))
	}
}
