package gocloud

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// TestKeptNothing: a bucket that was just made keeps nothing, and it is told
// with the rights that a store has.
func TestKeptNothing(t *testing.T) {
	for _, bucket := range buckets {
		t.Run(bucket.scheme, func(t *testing.T) {
			checkKept(t, started(t, bucket.place(t)), "", true)
		})
	}
	t.Run("mem", func(t *testing.T) { checkKept(t, started(t, "mem://"), "", true) })
}

// TestKeptVersions on a server that keeps them: what doctor says is so.
func TestKeptVersions(t *testing.T) {
	address, _ := startS3WithUsers(t)
	t.Setenv("AWS_ACCESS_KEY_ID", s3Root)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3Secret)
	rawURL, name := "s3://"+s3Bucket+"?endpoint="+address, s3Bucket
	before := started(t, rawURL)
	checkKept(t, before, "", true)
	client := before.connection.objects.(s3Objects).client
	enabled := &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}
	if _, err := client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: &name, VersioningConfiguration: enabled}); err != nil {
		t.Fatal(err)
	}
	store := started(t, rawURL)
	what, told, err := store.Kept(t.Context())
	if err != nil || !told || !strings.HasPrefix(what, "it keeps versions") {
		t.Errorf("got %q, %v, %v", what, told, err)
	}
	version := mustPut(t, store, newPhoto(t, 20, 1))
	if err := store.Delete(t.Context(), key, version); err != nil {
		t.Fatal(err)
	}
	prefix := string(key)
	listed, err := client.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &name, Prefix: &prefix})
	if err != nil || len(listed.Versions) != 1 {
		t.Errorf("the deleted photo isn't kept: %+v, %v", listed, err)
	}
}

// answers are what a server says of some requests: by method, and by a part of
// the address. A status of 0 adds headers to the server's own answer.
type answers []struct {
	method, address string
	status          int
	header          [2]string
	body            string
}

func (all answers) before(pass http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, a := range all {
			if r.Method != a.method || !strings.Contains(r.URL.String()+"$", a.address) {
				continue
			}
			if a.header[0] != "" {
				w.Header().Set(a.header[0], a.header[1])
			}
			if a.status != 0 {
				w.WriteHeader(a.status)
				_, _ = w.Write([]byte(a.body))
				return
			}
		}
		pass.ServeHTTP(w, r)
	})
}

// TestKeptAsProvidersSay it, which the tests' servers don't.
func TestKeptAsProvidersSay(t *testing.T) {
	const (
		so        = "; until then, whoever may read those can read photos that were removed or replaced"
		rule      = "<Rule><Status>%</Status><NoncurrentVersionExpiration><NoncurrentDays>30</NoncurrentDays></NoncurrentVersionExpiration>"
		lifecycle = "?lifecycle"
		bucket    = "/storage/v1/b/fleetphoto-test?"
	)
	rules := func(all ...string) string {
		return "<LifecycleConfiguration>" + strings.Join(all, "</Rule>") + "</Rule></LifecycleConfiguration>"
	}
	enabled, disabled := strings.Replace(rule, "%", "Enabled", 1), strings.Replace(rule, "%", "Disabled", 1)
	version := func(id string) answers {
		return answers{{method: http.MethodHead, address: markerName, header: [2]string{"x-amz-version-id", id}}}
	}
	withRules := func(status int, body string) answers {
		return append(version("3sL4kqtJlcpXroDTDmJ"), answers{{method: http.MethodGet, address: lifecycle, status: status, body: body}}...)
	}
	azure := func(method, header, value string) answers {
		return answers{{method: method, address: ".txt", header: [2]string{header, value}}}
	}
	google := func(status int, body string) answers {
		return answers{{method: http.MethodGet, address: bucket, status: status, header: [2]string{"Content-Type", "application/json"}, body: body}}
	}
	for _, test := range []struct {
		name, scheme string
		answers      answers
		want         string
		told         bool
	}{
		{"suspended", "s3", version("null"), "", true},
		{"no rules", "s3", withRules(404, "<Error><Code>NoSuchLifecycleConfiguration</Code></Error>"), "it keeps versions until somebody or a lifecycle rule deletes them" + so, true},
		{"no right", "s3", withRules(403, "<Error><Code>AccessDenied</Code></Error>"), "it keeps versions, but these credentials may not read for how long" + so, true},
		{"a rule", "s3", withRules(200, rules(disabled, enabled)), "it keeps versions for 30 days" + so, true},
		{"two rules", "s3", withRules(200, rules(strings.Replace(enabled, "30", "7", 1), enabled)), "it keeps versions for 7 days" + so, true},
		{"a rule for others", "s3", withRules(200, rules(enabled+"<Filter><Prefix>logs/</Prefix></Filter>")), "it keeps versions until somebody or a lifecycle rule deletes them" + so, true},
		{"a rule for photos", "s3", withRules(200, rules(enabled+"<Filter><Prefix>t</Prefix></Filter>")), "it keeps versions for 30 days" + so, true},
		{"a rule for a tag", "s3", withRules(200, rules(enabled+"<Filter><Tag><Key>a</Key><Value>b</Value></Tag></Filter>")), "it keeps versions until somebody or a lifecycle rule deletes them" + so, true},
		{"refused", "s3", answers{{method: http.MethodHead, address: markerName, status: 403}},
			`can't tell whether the bucket "fleetphoto-test" keeps versions or deleted objects; grant s3:GetObject to find out (403 Forbidden)`, false},
		{"as by default", "gs", google(200, `{"softDeletePolicy":{"retentionDurationSeconds":"604800"}}`), "it keeps deleted objects for 7 days" + so, true},
		{"switched off", "gs", google(200, `{"softDeletePolicy":{"retentionDurationSeconds":"0"}}`), "", true},
		{"versions", "gs", google(200, `{"versioning":{"enabled":true},"softDeletePolicy":{"retentionDurationSeconds":"604800"}}`),
			"it keeps versions until somebody or a lifecycle rule deletes them and deleted objects for 7 days" + so, true},
		{"a rule", "gs", google(200, `{"versioning":{"enabled":true},"lifecycle":{"rule":[{"action":{"type":"Delete"},"condition":{"daysSinceNoncurrentTime":30}},`+
			`{"action":{"type":"Delete"},"condition":{"daysSinceNoncurrentTime":3,"matchesPrefix":["logs/"]}}]}}`), "it keeps versions for 30 days" + so, true},
		{"refused", "gs", google(403, `{"error":{"code":403,"message":"denied"}}`),
			`can't tell whether the bucket "fleetphoto-test" keeps versions or deleted objects; grant storage.buckets.get to find out (403 Forbidden)`, false},
		{"versions", "azblob", azure(http.MethodHead, "x-ms-version-id", "2026-11-29T00:00:00.0000000Z"), "it keeps versions, but these credentials may not read for how long" + so, true},
		{"soft deletion", "azblob", azure(http.MethodDelete, "x-ms-delete-type-permanent", "false"), "it keeps deleted objects, but these credentials may not read for how long" + so, true},
		{"no soft deletion", "azblob", azure(http.MethodDelete, "x-ms-delete-type-permanent", "true"), "", true},
	} {
		t.Run(test.scheme+"_"+test.name, func(t *testing.T) {
			for _, b := range buckets {
				if b.scheme == test.scheme {
					front, through := newFront(t, b.place(t))
					store := started(t, through)
					front.put(test.answers.before)
					checkKept(t, store, test.want, test.told)
				}
			}
		})
	}
}

func checkKept(t *testing.T, store *PhotoStore, want string, wantTold bool) {
	t.Helper()
	what, told, err := store.Kept(t.Context())
	if err != nil || what != want || told != wantTold {
		t.Errorf("got %q, %v, %v, want %q, %v", what, told, err, want, wantTold)
	}
}

// A store that doesn't answer isn't one that doesn't tell.
func TestKeptUnavailable(t *testing.T) {
	for _, bucket := range buckets {
		t.Run(bucket.scheme, func(t *testing.T) {
			front, through := newFront(t, bucket.place(t))
			store := started(t, through)
			front.stop()
			what, told, err := store.Kept(t.Context())
			checkUnavailable(t, "Kept", err)
			if what != "" || told {
				t.Errorf("got %q, %v", what, told)
			}
			front.start()
		})
	}
}
