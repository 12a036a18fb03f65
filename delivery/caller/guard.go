package caller

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"

	"code.dny.dev/ssrf"
)

// azureHost is where Azure serves metadata and health to virtual machines: an
// address that is public by the registry and within the network by its use.
var azureHost = netip.MustParsePrefix("168.63.129.16/32")

// guard says which addresses may be connected to (WHK-12). What is special by
// IANA's registries is ssrf's part: in IPv6 it takes nothing but the global
// unicast range 2000::/3, less what is special in there. That refuses mapped
// addresses, both NAT64 prefixes and zones too, since all lie elsewhere.
type guard struct{ guardian *ssrf.Guardian }

func newGuard(allow, refuse []netip.Prefix, ports []uint16) (*guard, error) {
	allow4, allow6, err := families("Allow", allow)
	if err != nil {
		return nil, err
	}
	refuse4, refuse6, err := families("Refuse", refuse)
	if err != nil {
		return nil, err
	}
	return &guard{ssrf.New(
		ssrf.WithNetworks("tcp4", "tcp6"),
		ssrf.WithPorts(ports...),
		ssrf.WithAllowedV4Prefixes(allow4...),
		ssrf.WithAllowedV6Prefixes(allow6...),
		ssrf.WithDeniedV4Prefixes(append(refuse4, azureHost)...),
		ssrf.WithDeniedV6Prefixes(refuse6...),
	)}, nil
}

// families parts prefixes by the family of their addresses. A mapped one would
// be checked against addresses that are never connected to.
func families(option string, prefixes []netip.Prefix) (v4, v6 []netip.Prefix, err error) {
	for i, p := range prefixes {
		switch {
		case !p.IsValid():
			return nil, nil, fmt.Errorf("%w: %s[%d] is no prefix", ErrOptions, option, i)
		case p.Addr().Is4In6():
			return nil, nil, fmt.Errorf("%w: %s[%d], %s, is mapped into IPv6; write it in IPv4", ErrOptions, option, i, p)
		case p.Addr().Is4():
			v4 = append(v4, p)
		default:
			v6 = append(v6, p)
		}
	}
	return v4, v6, nil
}

// refusedError says which address must not be called, and why.
type refusedError struct{ reason string }

func (e *refusedError) Error() string { return e.reason }

// connect says whether a connection to an address and port may be made. It is
// asked for each one, after the name was looked up.
func (g *guard) connect(network, address string) error {
	if err := g.guardian.Safe(network, address, nil); err != nil {
		return &refusedError{err.Error()}
	}
	return nil
}

// host says whether the host of a URL is an address that must not be called, so
// that neither a resolver nor a proxy gets to see it. Resolvers, and proxies,
// may take 2130706433, 0x7f.1 or 127.1 for an address: what ends in a number and
// is not one in its usual form is refused. Other names are checked by connect.
func (g *guard) host(name string) error {
	if addr, err := netip.ParseAddr(name); err == nil {
		if err := g.guardian.SafeAddr(addr); err != nil {
			return &refusedError{err.Error()}
		}
		return nil
	}
	if strings.Contains(name, ":") || numeric(lastLabel(name)) {
		return &refusedError{"the host is an address in an unusual spelling"}
	}
	return nil
}

// lastLabel returns the last label of a name, less the dot of the root, with
// what IDNA takes for dots.
func lastLabel(name string) string {
	labels := strings.FieldsFunc(name, func(c rune) bool {
		return c == '.' || c == '\u3002' || c == '\uff0e' || c == '\uff61'
	})
	if len(labels) == 0 {
		return ""
	}
	return labels[len(labels)-1]
}

// numeric reports whether a label can be read as a number. No top-level domain
// is one. In letters beyond ASCII any digit makes it suspect, since IDNA turns
// wide and circled ones into those of ASCII.
func numeric(label string) bool {
	if strings.ContainsFunc(label, func(c rune) bool { return c > unicode.MaxASCII }) {
		return strings.ContainsFunc(label, unicode.IsNumber)
	}
	digits, hexadecimal := strings.CutPrefix(strings.ToLower(label), "0x")
	if hexadecimal {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return label != "" && strings.Trim(label, "0123456789") == ""
}
