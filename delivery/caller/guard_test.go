package caller_test

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/delivery/caller"
	wp "github.com/sluicego/sluice/webhookpolicy"
)

// special lists what is not public: IANA's registries of special-purpose
// addresses, those of multicast, and what clouds keep for themselves.
var special = prefixes(
	// https://www.iana.org/assignments/iana-ipv4-special-registry
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
	"192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"240.0.0.0/4", "255.255.255.255/32",
	// https://www.iana.org/assignments/iana-ipv6-special-registry
	"::1/128", "::/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64",
	"2001::/23", "2001::/32", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:2::/48",
	"2001:3::/32", "2001:4:112::/48", "2001:10::/28", "2001:20::/28", "2001:30::/28", "2001:db8::/32",
	"2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10",
	// Multicast, IPv4-compatible addresses, and site-local ones of old.
	"224.0.0.0/4", "ff00::/8", "::/96", "fec0::/10",
	// Metadata at addresses that are public by the registries: Azure.
	"168.63.129.16/32",
)

// allotted6 is what addresses of the Internet in IPv6 are out of.
var allotted6 = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// public is the oracle, by the list alone.
func public(addr netip.Addr) bool {
	for _, p := range special {
		// A prefix of mapped addresses contains none by netip's reading.
		if p.Contains(addr) || addr.Is4In6() {
			return false
		}
	}
	return addr.Is4() || allotted6.Contains(addr)
}

// drawWithin draws an address of a prefix.
func drawWithin(t *rapid.T, p netip.Prefix) netip.Addr {
	bytes := p.Addr().AsSlice()
	random := rapid.SliceOfN(rapid.Byte(), len(bytes), len(bytes)).Draw(t, "bytes")
	for bit := p.Bits(); bit < len(bytes)*8; bit++ {
		mask := byte(0x80) >> (bit % 8)
		bytes[bit/8] = bytes[bit/8]&^mask | random[bit/8]&mask
	}
	addr, _ := netip.AddrFromSlice(bytes)
	return addr
}

// TestGuard_Property shows that WHK-12 refuses what is special and nothing else,
// at any port.
func TestGuard_Property(t *testing.T) {
	c := newCaller(t, caller.Options{Policy: wp.DefaultPolicy()})
	port := rapid.Uint16Min(1)
	t.Run("WHK-12 what is special is refused", rapid.MakeCheck(func(t *rapid.T) {
		addr := drawWithin(t, rapid.SampledFrom(special).Draw(t, "prefix"))
		require.Error(t, c.Connects(netip.AddrPortFrom(addr, port.Draw(t, "port"))), addr)
		require.Error(t, c.Names(addr.String()), addr)
	}))
	t.Run("WHK-12 whatever carries an address that is special", rapid.MakeCheck(func(t *rapid.T) {
		inner := drawWithin(t, rapid.SampledFrom(special[:18]).Draw(t, "prefix")).As4()
		carrier := rapid.SampledFrom([]string{"::", "::ffff:0:0", "64:ff9b::", "64:ff9b:1::", "2002::"}).Draw(t, "carrier")
		outer := netip.MustParseAddr(carrier).As16()
		at := 12
		if carrier == "2002::" {
			at = 2
		}
		copy(outer[at:], inner[:])
		addr := netip.AddrFrom16(outer)
		require.Error(t, c.Connects(netip.AddrPortFrom(addr, 443)), addr)
		require.Error(t, c.Names(addr.String()), addr)
	}))
	anywhere := prefixes("0.0.0.0/0", "2000::/3", "::/0")
	t.Run("WHK-12 what is public is called", rapid.MakeCheck(func(t *rapid.T) {
		addr := drawWithin(t, rapid.SampledFrom(anywhere).Draw(t, "prefix"))
		err := c.Connects(netip.AddrPortFrom(addr, port.Draw(t, "port")))
		require.Equal(t, public(addr), err == nil, "%s: %v", addr, err)
	}))
}

// TestGuard_Edges asks for the first and last address of each prefix, and their
// neighbours.
func TestGuard_Edges(t *testing.T) {
	c := newCaller(t, caller.Options{Policy: wp.DefaultPolicy()})
	for _, p := range special {
		last := p.Masked().Addr().AsSlice()
		for bit := p.Bits(); bit < len(last)*8; bit++ {
			last[bit/8] |= 0x80 >> (bit % 8)
		}
		end, _ := netip.AddrFromSlice(last)
		for _, addr := range []netip.Addr{p.Addr().Prev(), p.Addr(), end, end.Next()} {
			if addr.IsValid() {
				err := c.Connects(netip.AddrPortFrom(addr, 443))
				assert.Equal(t, public(addr), err == nil, "%s: %v", addr, err)
			}
		}
	}
	for _, addr := range []string{"8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001::1"} {
		require.NoError(t, c.Connects(netip.AddrPortFrom(netip.MustParseAddr(addr), 8443)))
		require.NoError(t, c.Names(addr))
	}
}

// TestGuard_Options shows what allows and refuses (WHK-12).
func TestGuard_Options(t *testing.T) {
	o := caller.Options{
		Policy: wp.DefaultPolicy(), Ports: []uint16{443},
		Allow:  prefixes("10.1.0.0/16", "fd00::/8", "8.8.8.8/32"),
		Refuse: prefixes("8.8.0.0/16", "2606:4700::/32"),
	}
	c := newCaller(t, o)
	for to, allowed := range map[string]bool{
		"10.1.2.3:443": true, "10.2.2.3:443": false, "10.1.2.3:444": false,
		"[fd00::1]:443": true, "[fd00::1]:80": false, "[fc00::1]:443": false,
		"8.8.4.4:443": false, "8.8.8.8:443": true, "[2606:4700::1]:443": false, "1.1.1.1:443": true, "1.1.1.1:80": false,
	} {
		err := c.Connects(netip.MustParseAddrPort(to))
		assert.Equal(t, allowed, err == nil, "%s: %v", to, err)
	}
}

// TestGuard_Names shows which hosts are addresses in disguise.
func TestGuard_Names(t *testing.T) {
	c := newCaller(t, plain())
	for _, host := range []string{
		"2130706433", "017700000001", "0x7f000001", "0X7F000001", "0x7f.1", "127.1", "127.0.1", "0177.0.0.1", "127.0.0.01",
		"127.0.0.1.", "1.2.3.4.5", "256.1.1.1", "0x", "example.0x1", "example.1", "example.1.", "127。0。0。1",
		"１２７.0.0.1", "127.0.0.①", "0ｘ7f", "::1%lo", "[::1", "1:2",
	} {
		require.Error(t, c.Names(host), host)
	}
	for _, host := range []string{
		"example.com", "example.com.", "1.example.com", "4chan.org", "0x7f.example", "münchen.example", "例え.テスト",
		"xn--r8jz45g.xn--zckzah", "127.0.0.1", "::1", "127.0.0.1.nip.io", "localhost",
	} {
		require.NoError(t, c.Names(host), host)
	}
}

// rebinding calls a name twice that has a public address first and another one
// from the second lookup on, and returns how often somebody connected to the
// other one.
func rebinding(t *testing.T, change func(c *caller.Caller, resolver *net.Resolver)) (inside int32, results []wp.Result) {
	t.Helper()
	lookups := 0
	resolver := names(func(string) []string {
		lookups++
		if lookups == 1 {
			return []string{"127.0.0.2"}
		}
		return []string{"127.0.0.1"}
	})
	answer := func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }
	good := serve(t, "127.0.0.2:0", answer)
	bad := serve(t, "127.0.0.1:"+good.port(), answer)
	o := plain()
	o.Allow, o.Resolver = publicOnly, resolver
	c := newCaller(t, o)
	change(c, resolver)
	for range 2 {
		record := call(t, c, caller.Request{Endpoint: "http://rebinding.test:" + good.port()})
		results = append(results, record.Outcome.Result)
	}
	return bad.accepted.Load(), results
}

// TestGuard_Rebinding shows that an address is checked where it is connected to
// (WHK-12). A twin that checks the name first, and then connects to it, is
// caught.
func TestGuard_Rebinding(t *testing.T) {
	t.Run("WHK-12", func(t *testing.T) {
		inside, results := rebinding(t, func(*caller.Caller, *net.Resolver) {})
		assert.Zero(t, inside)
		assert.Equal(t, []wp.Result{wp.Answered, wp.AddressRefused}, results)
	})
	t.Run("WHK-12 the twin is caught", func(t *testing.T) {
		inside, _ := rebinding(t, func(c *caller.Caller, resolver *net.Resolver) {
			c.WithDial(func(ctx context.Context, network, address string) (net.Conn, error) {
				host, port, err := net.SplitHostPort(address)
				if err != nil {
					return nil, err
				}
				addresses, err := resolver.LookupNetIP(ctx, "ip4", host)
				if err != nil {
					return nil, err
				}
				for _, a := range addresses {
					if err := c.Connects(netip.MustParseAddrPort(a.Unmap().String() + ":" + port)); err != nil {
						return nil, err
					}
				}
				return (&net.Dialer{Resolver: resolver}).DialContext(ctx, network, address)
			})
		})
		assert.NotZero(t, inside, "the check is blind")
	})
}

// TestGuard_SeveralAddresses shows that a refused address among others is not
// connected to, and another one is; with TLS too, which the others do not speak.
func TestGuard_SeveralAddresses(t *testing.T) {
	good := serve(t, "127.0.0.2:0", func(http.ResponseWriter, *http.Request) {})
	bad := serve(t, "127.0.0.1:"+good.port(), func(http.ResponseWriter, *http.Request) {})
	bad6 := serve(t, "[::1]:"+good.port(), func(http.ResponseWriter, *http.Request) {})
	for name, test := range map[string]struct {
		four, six []string
		result    wp.Result
	}{
		"WHK-12 refused first":         {[]string{"127.0.0.1", "127.0.0.2"}, nil, wp.Answered},
		"WHK-12 refused last":          {[]string{"127.0.0.2", "127.0.0.1"}, nil, wp.Answered},
		"WHK-12 refused in IPv6":       {[]string{"127.0.0.2"}, []string{"::1"}, wp.Answered},
		"WHK-12 mapped into IPv6":      {[]string{"127.0.0.2"}, []string{"::ffff:127.0.0.1", "64:ff9b::7f00:1"}, wp.Answered},
		"WHK-12 refused all":           {[]string{"127.0.0.1", "127.0.0.3"}, []string{"::1"}, wp.AddressRefused},
		"WHK-12 nobody at the other":   {[]string{"127.0.0.4", "127.0.0.1"}, nil, wp.AddressRefused},
		"nobody at the only one":       {[]string{"127.0.0.4"}, nil, wp.ConnectionRefused},
		"a name that has no addresses": {[]string{}, nil, wp.DNSFailed},
		"a name that there is not":     {nil, nil, wp.DNSFailed},
	} {
		for _, scheme := range []string{"http", "https"} {
			t.Run(name+" by "+scheme, func(t *testing.T) {
				o := plain()
				o.Allow = prefixes("127.0.0.2/32", "127.0.0.4/32")
				o.Resolver = names(func(string) []string { return test.four }, test.six...)
				record := call(t, newCaller(t, o), caller.Request{Endpoint: scheme + "://several.test:" + good.port()})
				want := test.result
				if want == wp.Answered && scheme == "https" {
					want = wp.TLSFailed
				}
				assert.Equal(t, want, record.Outcome.Result, record)
				assert.Zero(t, bad.accepted.Load()+bad6.accepted.Load())
			})
		}
	}
}
