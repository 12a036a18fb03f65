package receiver_test

import (
	"testing"

	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/webhookpolicy"
)

// benchData has a resource with more members than are read.
const benchData = `{"signature_request":{` +
	`"id":"79a291fc-5c3e-4b7e-8a44-3d1f0c9b6e21","status":"done","name":"Contract of Kelly Smith",` +
	`"delivery_mode":"email","created_at":"2025-09-22T14:30:00+00:00","ordered_signers":true,` +
	`"timezone":"Europe/Paris","expiration_date":"2026-03-22T23:59:00+00:00","external_id":null,` +
	`"sender":{"id":"0c9b6e21"},"documents":[{"id":"8a44"}],"signers_count":2}}`

func BenchmarkReadObservation(b *testing.B) {
	e := webhookpolicy.Envelope{
		EventName: webhookpolicy.EventSignatureRequestDone, EventTime: noon, Data: []byte(benchData),
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, tells, err := receiver.ReadObservation(e); err != nil || !tells {
			b.Fatal(tells, err)
		}
	}
}
