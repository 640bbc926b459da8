package gocloud

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	dockercontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/contract-tests/photostore"
	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
	"github.com/fleetphoto/fleetphoto/domain"
)

const (
	s3Root, s3User, s3Secret = "root-of-tests", "user-of-tests", "only-on-loopback"
	s3Bucket                 = "least-rights"

	s3Users  = `{"accessAccounts":{"` + s3User + `":{"access":"` + s3User + `","secret":"` + s3Secret + `","role":"user"}}}`
	s3Policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["%s"]},"Action":%s,"Resource":"arn:aws:s3:::%s/photos/*"}]}`
)

// startS3WithUsers starts a server that knows a user without rights, and
// returns its address and what gives the user rights below photos/.
func startS3WithUsers(t *testing.T) (address string, allow func(actions string)) {
	t.Helper()
	if os.Getenv("FLEETPHOTO_TEST_S3_URL") != "" {
		t.Skip("the server that is given has no users of this test's")
	}
	servers.S3(t) // skips the test where there is no engine
	image := cmp.Or(os.Getenv("FLEETPHOTO_TEST_S3_IMAGE"), "versity/versitygw:v1.8.0")
	server, err := testcontainers.Run(t.Context(), image, testcontainers.WithCmd("posix", "--versioning-dir", "/tmp/versions", "/tmp/vgw"), testcontainers.WithExposedPorts("7070/tcp"),
		testcontainers.WithEnv(map[string]string{
			"ROOT_ACCESS_KEY": s3Root, "ROOT_SECRET_KEY": s3Secret, "VGW_PORT": ":7070", "VGW_HEALTH": "/health", "VGW_IAM_DIR": "/tmp/iam",
		}),
		testcontainers.WithHostConfigModifier(func(host *dockercontainer.HostConfig) {
			host.PortBindings = network.PortMap{network.MustParsePort("7070/tcp"): {{HostIP: netip.MustParseAddr("127.0.0.1")}}}
		}),
		testcontainers.WithFiles(testcontainers.ContainerFile{Reader: strings.NewReader(s3Users), ContainerFilePath: "/tmp/iam/users.json", FileMode: 0o600},
			testcontainers.ContainerFile{Reader: strings.NewReader(""), ContainerFilePath: "/tmp/versions/.keep", FileMode: 0o600}),
		testcontainers.WithWaitStrategy(wait.ForHTTP("/health").WithPort("7070/tcp")),
	)
	testcontainers.CleanupContainer(t, server, testcontainers.StopTimeout(0))
	if err != nil {
		t.Fatal(err)
	}
	port, err := server.MappedPort(t.Context(), "7070/tcp")
	if err != nil {
		t.Fatal(err)
	}
	address = "http://127.0.0.1:" + port.Port()
	client := s3.New(s3.Options{
		BaseEndpoint: &address, Region: defaultRegion, UsePathStyle: true, Credentials: credentials.NewStaticCredentialsProvider(s3Root, s3Secret, ""),
	})
	bucket := s3Bucket
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	return address, func(actions string) {
		t.Helper()
		policy := fmt.Sprintf(s3Policy, s3User, actions, s3Bucket)
		if _, err := client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: &policy}); err != nil {
			t.Fatal(err)
		}
	}
}

// The documented rights are enough for every promise, and each of them is named
// where it is missing.
func TestLeastRightsS3(t *testing.T) {
	address, allow := startS3WithUsers(t)
	t.Setenv("AWS_ACCESS_KEY_ID", s3User)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3Secret)
	rawURL := "s3://" + s3Bucket + "?endpoint=" + address + "&prefix=photos"

	allow(`["s3:PutObject","s3:GetObject","s3:DeleteObject"]`)
	t.Run("suite", func(t *testing.T) {
		// versitygw 1.8 looks at the ETag of an object and then deletes or reads it.
		notInOneStep := []string{"version_put_and_delete_at_once", "version_of_what_is_read"}
		suite := slices.DeleteFunc(photostore.Clauses(photostore.Large), func(c clause.Clause[photostore.Port]) bool { return slices.Contains(notInOneStep, c.Name) })
		clause.Prove(t, suite, func(t *testing.T) photostore.Port {
			return photostore.Port{PhotoStore: started(t, rawURL+"/"+rand.Text())}
		})
	})
	startFails(t, strings.Replace(rawURL, "prefix=photos", "prefix=other", 1), false, "grant s3:PutObject to these credentials")

	store := started(t, rawURL)
	mustPut(t, store, newPhoto(t, 20, 1))
	checkMissing(t, store)
	version := mustPut(t, store, newPhoto(t, 20, 1))
	allow(`["s3:PutObject","s3:GetObject"]`)
	if err := store.Delete(t.Context(), key, version); !errors.Is(err, domain.Unavailable) || !strings.Contains(err.Error(), "grant s3:DeleteObject") {
		t.Errorf("Delete without the right: %v", err)
	}
	startFails(t, rawURL, false, "grant s3:DeleteObject to these credentials")
	allow(`["s3:PutObject","s3:DeleteObject"]`)
	startFails(t, rawURL, false, "grant s3:GetObject to these credentials")
	_, _, err := store.Open(t.Context(), key)
	checkUnavailable(t, "Open without the right", err)
	allow(`["s3:GetObject","s3:DeleteObject"]`)
	startFails(t, rawURL, false, "grant s3:PutObject to these credentials")
}

func TestLeastRightsAzure(t *testing.T) {
	rawURL := servers.Azblob(t)
	store := started(t, rawURL)
	mustPut(t, store, newPhoto(t, 20, 1))
	var client *container.Client
	if !store.connection.As(&client) {
		t.Fatal("the bucket is no container")
	}
	allow := func(rights sas.ContainerPermissions) {
		address, err := client.GetSASURL(rights, time.Now().Add(time.Hour), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, token, _ := strings.Cut(address, "?")
		t.Setenv("AZURE_STORAGE_KEY", "")
		t.Setenv("AZURE_STORAGE_SAS_TOKEN", token)
	}
	allow(sas.ContainerPermissions{Read: true, Write: true, Delete: true})
	limited := started(t, rawURL)
	if content, _, err := limited.Open(t.Context(), key); err != nil || content.Close() != nil {
		t.Errorf("Open: %v", err)
	}
	checkMissing(t, limited)
	if _, _, err := limited.Open(t.Context(), key); !errors.Is(err, domain.NotFound) {
		t.Errorf("Open of what isn't there: %v", err)
	}
	allow(sas.ContainerPermissions{Read: true, Write: true})
	startFails(t, rawURL, false, "grant blobs/delete (d in a SAS) to these credentials")
	allow(sas.ContainerPermissions{Read: true, Delete: true})
	startFails(t, rawURL, false, "grant blobs/write (w in a SAS) to these credentials")
}

// Google refuses access to what isn't there unless it may be listed, which the
// test's server does not.
func TestLeastRightsGoogle(t *testing.T) {
	front, rawURL := newFront(t, servers.GS(t))
	refuse := func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"error":{"code":403,"message":"denied on resource (or it may not exist)"}}`))
	}
	front.put(func(pass http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			pass.ServeHTTP(answer, r)
			if answer.Code == http.StatusNotFound {
				refuse(w)
				return
			}
			for name, values := range answer.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
		})
	})
	store := started(t, rawURL)
	mustPut(t, store, newPhoto(t, 20, 1))
	checkMissing(t, store)
	if _, _, err := store.Open(context.WithoutCancel(t.Context()), key); !errors.Is(err, domain.NotFound) {
		t.Errorf("Open of what isn't there: %v", err)
	}
	version := mustPut(t, store, newPhoto(t, 20, 1))
	front.put(func(pass http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				refuse(w)
				return
			}
			pass.ServeHTTP(w, r)
		})
	})
	err := store.Delete(t.Context(), key, version)
	checkUnavailable(t, "Delete without the right", err)
	startFails(t, rawURL, false, "grant storage.objects.delete to these credentials")
}

// checkMissing deletes a photo and changes what isn't there any more, which a
// store may hide.
func checkMissing(t *testing.T, store *PhotoStore) {
	t.Helper()
	version := held(t, store)
	mustDelete(t, store)
	mustDelete(t, store)
	err := store.Delete(t.Context(), key, version)
	if versitygw := store.scheme == "s3" && err == nil; !versitygw && !errors.Is(err, domain.Conflict) { // which takes that for done
		t.Errorf("Delete of what isn't there any more: %v, want Conflict", err)
	}
	if _, err := store.Put(t.Context(), key, newPhoto(t, 20, 1), version); !errors.Is(err, domain.Conflict) {
		t.Errorf("Put over what isn't there any more: %v, want Conflict", err)
	}
}

// TestRefusalOfOnePhoto: a store that says when an object is missing means what
// it says when it refuses one. A deletion that was refused is no success.
func TestRefusalOfOnePhoto(t *testing.T) {
	amazon := func(code string) string { return "<Error><Code>" + code + "</Code></Error>" }
	for _, test := range []struct{ name, scheme, body string }{
		{"denied", "s3", amazon("AccessDenied")},
		{"archived", "s3", amazon("InvalidObjectState")},
		{"signature", "s3", amazon("SignatureDoesNotMatch")},
		{"denied", "gs", `{"error":{"code":403,"message":"denied"}}`},
		{"denied", "azblob", `<Error><Code>AuthorizationPermissionMismatch</Code></Error>`},
	} {
		t.Run(test.scheme+"_"+test.name, func(t *testing.T) {
			place := map[string]func(testing.TB) string{"s3": servers.S3, "gs": servers.GS, "azblob": servers.Azblob}[test.scheme]
			front, through := newFront(t, place(t))
			store := started(t, through)
			photo := newPhoto(t, 20, 1)
			version := mustPut(t, store, photo)
			for _, hides := range []bool{false, test.name != "denied"} { // a store that hides has one code for both
				store.hides = hides
				front.put(refusePhotos(test.body))
				_, _, err := store.Open(t.Context(), key)
				checkUnavailable(t, "Open", err)
				_, put := store.Put(t.Context(), key, newPhoto(t, 20, 2), version)
				for what, err := range map[string]error{"Put": put, "Delete": store.Delete(t.Context(), key, version)} {
					checkUnavailable(t, what, err)
					if !domain.AsError(err).Unchanged {
						t.Errorf("%s that was refused: %v, want it Unchanged", what, err)
					}
				}
				front.put(nil)
				if !bytes.Equal(holds(t, store), photo.JPEG()) {
					t.Error("the photo is another one")
				}
			}
		})
	}
}

// refusePhotos lets nothing through to a photo.
func refusePhotos(body string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.Contains(r.URL.String(), "_photo.jpg") {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(body))
		})
	}
}
