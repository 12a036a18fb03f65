// Package caller makes one call of a webhook over HTTP and says how it ended. It
// is the part of a deliverer that touches the network; whom to call and when, and
// what the end of a call means, is decided by [webhookpolicy].
//
//	c, err := caller.New(caller.Options{Policy: policy})
//	if err != nil {
//		return err
//	}
//	record, err := c.Call(ctx, caller.Request{
//		Endpoint: decision.Endpoint, Body: body, Secret: subscription.Secret(),
//		Number: decision.Number, Timeout: decision.Timeout,
//	})
//	if err != nil {
//		return err // nothing has ended: a bad request, or ctx was canceled
//	}
//	delivery, decision = webhookpolicy.Decide(policy, subscription, health, delivery, record.Outcome, now)
//
// # Endpoints are strangers
//
// Whoever owns an endpoint may be slow, broken or hostile. So a call has one
// deadline, from looking up the name to the last byte that is read of the answer
// (WHK-2), and bounds for all that it takes in: the headers of an answer, its
// interim answers, its body as it arrives and its body once decompressed
// (WHK-13). When [Caller.Call] has returned, nothing of the call goes on, but for
// a connection that is kept for the next one; a proxy that does not answer is
// waited for up to a minute longer.
//
// # Addresses that are not public
//
// An endpoint may name an address of the host's own network, or a name that has
// one, or has one from the second lookup on. So the address is checked when a
// connection is made, with what is then connected to, and for redirects alike
// (WHK-12): nothing but public unicast addresses is called. Where a name has
// several addresses, one that is refused is passed over, and the call may use
// another. [Options] can allow prefixes, for intranets and tests.
//
// # What a success is
//
// The headers of a 2XX or 3XX answer within the time-out make a call succeed
// (WHK-1). The body is read for people alone: whether it is cut, by its length,
// by the deadline or by a connection that breaks, changes nothing, and neither
// does a ctx that is canceled by then.
//
// # Calls that arrive twice
//
// Connections are kept. One that the receiver has closed meanwhile is noticed
// only when it is used, and then it is open whether the request was read. The
// call is made again then, over another connection, within the same deadline: a
// receiver that restarts does not cost a retry, and those who receive know
// doubles by their event id (WHK-9).
package caller

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/sluicego/sluice/webhookpolicy"
)

// ErrOptions is what the errors of [New] unwrap to.
var ErrOptions = errors.New("caller: invalid options")

// What connections are kept for when Options say nothing.
const (
	defaultMaxIdle        = 256
	defaultMaxIdlePerHost = 8
	defaultIdleTimeout    = 90 * time.Second
)

// maxHeaderBytes bounds the headers of an answer, with those of its interim
// answers.
const maxHeaderBytes = 64 << 10

// What an HTTP/2 server may send before it is read, and how soon a connection
// that has fallen silent is given up, so that its next calls do not time out too.
const (
	streamBufferBytes     = 256 << 10
	connectionBufferBytes = 1 << 20
	pingAfter             = 10 * time.Second
	pingTimeout           = 5 * time.Second
)

// Options are the settings of a [Caller]. All but the policy can be left out.
type Options struct {
	// Policy says how calls are signed and named, how much of an answer is read
	// and how many redirects are followed. [webhookpolicy.Policy.Check] must
	// accept it. Nobody may change what it refers to.
	Policy webhookpolicy.Policy

	// Allow lists prefixes that may be called although they are not public
	// (WHK-12). IPv4 addresses are written as such, not mapped into IPv6.
	Allow []netip.Prefix
	// Refuse lists prefixes that must not be called although they are public,
	// such as the host's own. What Allow has goes before.
	Refuse []netip.Prefix
	// Ports lists those that may be called, where the endpoint and redirects
	// are free to name any. Nil allows all, as SUB-4 does.
	Ports []uint16
	// PlainHTTP allows endpoints without TLS (SUB-4). No redirect leads from
	// https to http in any case.
	PlainHTTP bool

	// Proxy chooses a proxy for a request, as in [http.Transport]. Nil uses
	// none, whatever the environment says; [http.ProxyFromEnvironment] asks it.
	// A proxy looks up names by itself, so that WHK-12 is its part then, but for
	// endpoints that spell out an address. Its own address is checked like that
	// of an endpoint: Allow it if it is not public. It is one of http or socks5.
	Proxy func(*http.Request) (*url.URL, error)
	// TLS is what connections are secured with, such as RootCAs. TLS 1.2 is the
	// least that is spoken. NextProtos without "h2" leaves HTTP/2 out.
	TLS *tls.Config
	// Resolver looks up names. Nil is [net.DefaultResolver].
	Resolver *net.Resolver

	// MaxIdle and MaxIdlePerHost are how many connections are kept for further
	// calls, and IdleTimeout is how long. By zero they are 256, 8 and 90 s. A
	// negative MaxIdlePerHost keeps none.
	MaxIdle        int
	MaxIdlePerHost int
	IdleTimeout    time.Duration
}

// Caller makes calls, and keeps connections for the next ones. It is safe for
// concurrent use, and one is enough for a process.
type Caller struct {
	policy    webhookpolicy.Policy
	guard     *guard
	targets   targets
	own       []string // the headers that stay with the origin of the endpoint
	transport *http.Transport
}

// New returns a Caller. What Options have wrong is an error that unwraps to
// [ErrOptions].
func New(o Options) (*Caller, error) {
	if err := o.Policy.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	g, err := newGuard(o.Allow, o.Refuse, o.Ports)
	if err != nil {
		return nil, err
	}
	if o.MaxIdle < 0 || o.IdleTimeout < 0 {
		return nil, fmt.Errorf("%w: MaxIdle and IdleTimeout must not be negative", ErrOptions)
	}
	config := secured(o.TLS)
	d := &dialer{guard: g, tls: config, resolver: o.Resolver}
	return &Caller{
		policy:    o.Policy,
		guard:     g,
		targets:   targets{plain: o.PlainHTTP},
		own:       []string{o.Policy.SignatureHeader, o.Policy.IssuedAtHeader, o.Policy.RetryCountHeader},
		transport: newTransport(o, config, d),
	}, nil
}

func newTransport(o Options, config *tls.Config, d *dialer) *http.Transport {
	return &http.Transport{
		Proxy:          o.Proxy,
		DialContext:    d.dial,
		DialTLSContext: d.dialTLS,
		// These two are about connections through a proxy alone.
		TLSClientConfig:     config.Clone(),
		TLSHandshakeTimeout: max(o.Policy.FirstTimeout, o.Policy.RetryTimeout),

		ForceAttemptHTTP2: true,
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream:     streamBufferBytes,
			MaxReceiveBufferPerConnection: connectionBufferBytes,
			SendPingTimeout:               pingAfter,
			PingTimeout:                   pingTimeout,
		},
		// What arrives compressed is decompressed within bounds, see answer.go.
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConns:           cmp.Or(o.MaxIdle, defaultMaxIdle),
		MaxIdleConnsPerHost:    cmp.Or(o.MaxIdlePerHost, defaultMaxIdlePerHost),
		IdleConnTimeout:        cmp.Or(o.IdleTimeout, defaultIdleTimeout),
	}
}

// secured returns a config of the Caller's own that speaks TLS 1.2 at least, and
// offers HTTP/2 unless it says what to offer.
func secured(config *tls.Config) *tls.Config {
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	config = config.Clone()
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	if config.NextProtos == nil {
		config.NextProtos = []string{"h2", "http/1.1"}
	}
	return config
}

// CloseIdleConnections closes the connections that are kept and not in use. The
// Caller can go on making calls.
func (c *Caller) CloseIdleConnections() { c.transport.CloseIdleConnections() }
