package webhookpolicy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/webhookpolicy"
)

// benchBody is a call of the usual kind: compact, in the order of the sender, with
// a resource in data that has more members than anybody reads.
const benchBody = `{"event_id":"6adcec1d-ce47-889d-bc11-106219422b87","event_name":"signature_request.done",` +
	`"event_time":"1758551400","subscription_id":"b5c6e1a8-0f4e-4d55-9a3c-2f9d0f6f2c11",` +
	`"subscription_description":"onboarding","sandbox":false,"data":{"signature_request":{` +
	`"id":"79a291fc-5c3e-4b7e-8a44-3d1f0c9b6e21","status":"done","name":"Contract of Kelly Smith",` +
	`"delivery_mode":"email","created_at":"2025-09-22T14:30:00+00:00","ordered_signers":true,` +
	`"timezone":"Europe/Paris","expiration_date":"2026-03-22T23:59:00+00:00","external_id":null,` +
	`"sender":{"id":"0c9b6e21"},"documents":[{"id":"8a44"}],"signers_count":2}}}`

func BenchmarkParseEnvelope(b *testing.B) {
	body := []byte(benchBody)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := webhookpolicy.ParseEnvelope(body, webhookpolicy.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	body, secret := []byte(benchBody), webhookpolicy.NewSecret(theKey)
	signature, err := webhookpolicy.Sign(body, secret)
	require.NoError(b, err)
	header := signature.String()
	b.ReportAllocs()
	for b.Loop() {
		if err := webhookpolicy.Verify(body, header, secret); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReceiver_Receive(b *testing.B) {
	r := webhookpolicy.Receiver{Secrets: []webhookpolicy.Secret{webhookpolicy.NewSecret(theKey)}, Tolerance: 300e9}
	body := []byte(benchBody)
	signature, err := webhookpolicy.Sign(body, r.Secrets[0])
	require.NoError(b, err)
	header := signature.String()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Receive(body, header, "1758551400", subscribedAt); err != nil {
			b.Fatal(err)
		}
	}
}
