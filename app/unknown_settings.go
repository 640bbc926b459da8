package app

import (
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// othersVariables are for this module's tests, or what Kubernetes sets by
// itself in every container beside a service whose name begins like ours.
var othersVariables = regexp.MustCompile(`^FLEETPHOTO_(TEST_.*|REQUIRE|(.*_)?(SERVICE_HOST|SERVICE_PORT.*|PORT|PORT_\d+_.*))$`)

// unknownSettings returns which variables of the environment are named as if
// they were settings and are none, which is mostly a slip of the pen.
func unknownSettings(environment []string, flags []*kong.Flag) []string {
	known := map[string]bool{}
	for _, flag := range flags {
		for _, variable := range flag.Envs {
			known[variable] = true
			known[variable+"_FILE"] = flag.Tag.Has(secretTag)
		}
	}
	var unknown []string
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "FLEETPHOTO_") && !known[name] && !othersVariables.MatchString(name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}
