package main

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/webhookpolicy"
)

// endpoint is a URL of a receiver. The health of each is looked at by itself
// (WHK-8), so every one that is in trouble has a story of its own.
type endpoint struct {
	id        string // of its subscription
	about     string
	wants     []webhookpolicy.EventName
	autoRetry bool
	// trouble is how it fails a call; one that is well has none.
	trouble func(d *endpoint, name webhookpolicy.EventName, number int) http.HandlerFunc
	mended  atomic.Bool // there is no trouble any more

	url         string
	inbox       receiver.Inbox
	handler     http.Handler
	certificate *tls.Certificate
	stranger    *tls.Certificate // nobody trusts it
	deceives    atomic.Bool      // who comes next sees the stranger
	server      *http.Server
}

type endpoints []*endpoint

// newEndpoints returns the receiver that is well, which has one endpoint, and the
// other one, which has three.
func newEndpoints(speed int) (endpoints, error) {
	all := endpoints{{
		id: "calm", about: "is well, and hears of everything",
		wants: []webhookpolicy.EventName{webhookpolicy.Wildcard}, autoRetry: true,
	}, {
		id: "books", about: "hears of sessions that are done, and fails in all the ways for days",
		wants: []webhookpolicy.EventName{webhookpolicy.EventWorkflowSessionDone}, autoRetry: true,
		trouble: inAllWays(3 * time.Hour / time.Duration(speed)),
	}, {
		id: "desk", about: "hears of sessions, without auto_retry, and is odd",
		wants: webhookpolicy.EventNames("workflow_session"), trouble: odd,
	}, {
		id: "archive", about: "hears of action groups, and is down for most of a day",
		wants: webhookpolicy.EventNames("workflow_action_group"), autoRetry: true, trouble: down,
	}}
	certificate, err := selfSigned()
	if err != nil {
		return nil, err
	}
	stranger, err := selfSigned()
	for _, d := range all {
		d.certificate, d.stranger = certificate, stranger
		d.inbox = new(receiver.Memory) // one that must not forget has a database, as the host's
	}
	return all, err
}

// trusted is what a sender has to know of the receivers.
func (all endpoints) trusted() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(all[0].certificate.Leaf)
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

func (all endpoints) named(id string) *endpoint {
	for _, d := range all {
		if d.id == id {
			return d
		}
	}
	return nil
}

func (all endpoints) close() {
	for _, d := range all {
		d.close()
	}
}

func (d *endpoint) close() {
	if d.server != nil {
		_ = d.server.Close()
	}
}

// serve begins to listen at a URL, or anywhere for "".
func (d *endpoint) serve(at string, secret webhookpolicy.Secret) error {
	address := "127.0.0.1:0"
	if at != "" {
		u, err := url.Parse(at)
		if err != nil {
			return err
		}
		address = u.Host
	}
	var err error
	if d.handler, err = receiver.New(receiver.Options{
		Receiver: webhookpolicy.Receiver{Secrets: []webhookpolicy.Secret{secret}, Tolerance: 5 * time.Minute},
		Inbox:    d.inbox,
	}); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	d.url = "https://" + listener.Addr().String() + "/webhooks"
	d.server = &http.Server{
		Handler:           d,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // handshakes that fail are part of the story
		TLSConfig:         &tls.Config{GetCertificate: d.shown, MinVersion: tls.VersionTLS12},
		Protocols:         new(http.Protocols),
	}
	d.server.Protocols.SetHTTP1(true) // a connection of HTTP/2 cannot be taken over, see reset
	d.server.SetKeepAlivesEnabled(false)
	go d.server.ServeTLS(listener, "", "") //nolint:errcheck // it ends by Close
	return nil
}

// shown returns the certificate for a handshake.
func (d *endpoint) shown(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if d.deceives.Swap(false) {
		return d.stranger, nil
	}
	return d.certificate, nil
}

// ServeHTTP fails a call, or takes it in as a receiver does that is well.
func (d *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, "the body broke off", http.StatusBadRequest)
		return
	}
	event, err := webhookpolicy.ParseEnvelope(body, webhookpolicy.Limits{})
	if err == nil && d.trouble != nil && !d.mended.Load() {
		number, _ := strconv.Atoi(r.Header.Get(webhookpolicy.HeaderRetryCount)) // zero on the first call
		d.trouble(d, event.EventName, number)(w, r)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	d.handler.ServeHTTP(w, r)
}

// inAllWays fails another way each time. It asks once to be left alone for a while.
func inAllWays(alone time.Duration) func(*endpoint, webhookpolicy.EventName, int) http.HandlerFunc {
	return func(d *endpoint, _ webhookpolicy.EventName, number int) http.HandlerFunc {
		switch number {
		case 1:
			return reset
		case 2:
			return retryAfter(alone)
		case 3:
			d.deceives.Store(true) // so the fourth retry does not get here
			return status(http.StatusInternalServerError)
		case 5:
			return status(http.StatusGone)
		case 6:
			return status(http.StatusNotFound)
		default:
			return status(http.StatusServiceUnavailable)
		}
	}
}

// odd has another way for each event.
func odd(_ *endpoint, name webhookpolicy.EventName, number int) http.HandlerFunc {
	switch {
	case name == webhookpolicy.EventWorkflowSessionBlocked:
		return status(http.StatusServiceUnavailable)
	case name == webhookpolicy.EventWorkflowSessionDone:
		return bomb
	case number == 0:
		return silence
	default:
		return redirect
	}
}

func down(*endpoint, webhookpolicy.EventName, int) http.HandlerFunc {
	return status(http.StatusServiceUnavailable)
}

// The answers.

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func retryAfter(wait time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		seconds := max(int64(wait/time.Second), 1) // the header has no parts of one
		w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// silence answers when nobody listens any more.
func silence(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// reset has the connection break.
func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if plain, ok := conn.(*net.TCPConn); ok {
		_ = plain.SetLinger(0)
	}
	_ = conn.Close()
}

// redirect sends callers elsewhere.
func redirect(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", "https://elsewhere.example/")
	w.WriteHeader(http.StatusFound)
}

// bomb answers with zeros without end, which gzip makes a thousandth of.
func bomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	zeros := make([]byte, 1<<20)
	for {
		if _, err := z.Write(zeros); err != nil {
			return
		}
	}
}

// selfSigned makes a certificate for the loopback address.
func selfSigned() (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}
