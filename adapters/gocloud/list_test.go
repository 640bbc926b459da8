package gocloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
	"github.com/fleetphoto/fleetphoto/domain"
)

// listed returns what a store lists, in the order of its keys.
func listed(t testing.TB, store *PhotoStore) []domain.StoredPhoto {
	t.Helper()
	var all []domain.StoredPhoto
	for photo, err := range store.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, photo)
	}
	slices.SortFunc(all, func(x, y domain.StoredPhoto) int { return strings.Compare(string(x.Key), string(y.Key)) })
	return all
}

// listError is the one failure that a list yields.
func listError(ctx context.Context, t testing.TB, store *PhotoStore) (failure error) {
	t.Helper()
	for photo, err := range store.List(ctx) {
		if failure != nil || err == nil || photo != (domain.StoredPhoto{}) {
			t.Errorf("got %+v, %v after %v", photo, err, failure)
		}
		failure = err
	}
	return failure
}

// checkList puts photos, and what is none, and lists.
func checkList(t *testing.T, store *PhotoStore) {
	t.Helper()
	if all := listed(t, store); all != nil {
		t.Errorf("an empty store lists %+v", all)
	}
	photo := newPhoto(t, 20, 1)
	keys := []domain.PhotoKey{"fleet-7/customer_photos/42_photo.jpg", "fleet-7/customer_photos/43_photo.jpg", "fleet-70/customer_photos/1_photo.jpg"}
	for _, key := range keys {
		if _, err := store.Put(t.Context(), key, photo, domain.NoPhoto); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{
		"fleet-7/customer_photos/44_photo.jpg.18a.tmp", "fleet-7/customer_photos/note.txt", "fleet-7/note.txt", "fleet-0/customer_photos/1_photo.jpg",
		"fleet-x/customer_photos/1_photo.jpg", "other/fleet-7/customer_photos/42_photo.jpg", "zebra.txt",
	} {
		if _, err := store.write(t.Context(), key, []byte("x"), "text/plain", domain.Unversioned); err != nil {
			t.Fatal(err)
		}
	}
	all := listed(t, store)
	if len(all) != len(keys) {
		t.Fatalf("listed are %+v, want %q", all, keys)
	}
	for i, got := range all {
		if got.Key != keys[i] || got.Size != int64(len(photo.JPEG())) || time.Since(got.ChangedAt).Abs() > time.Hour || got.ChangedAt.Location() != time.UTC {
			t.Errorf("got %+v, want %s, %d bytes", got, keys[i], len(photo.JPEG()))
		}
	}
	for _, err := range store.List(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		break // it yields nothing more, or the test panics
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := listError(ended, t, store); !errors.Is(err, domain.Unavailable) {
		t.Errorf("with a ctx that ended: %v", err)
	}
}

func TestListInMemory(t *testing.T) {
	t.Parallel()
	checkList(t, started(t, "mem://"))
}

func TestListPages(t *testing.T) {
	t.Parallel()
	store := started(t, "mem://")
	const many = 2*listPage + 1
	for i := range many {
		key := domain.CustomerRef{Fleet: 7, Customer: domain.CustomerID(i + 1)}.PhotoKey()
		if _, err := store.Put(t.Context(), key, newPhoto(t, 1, 1), domain.NoPhoto); err != nil {
			t.Fatal(err)
		}
	}
	all := listed(t, store)
	if unique := slices.CompactFunc(slices.Clone(all), func(x, y domain.StoredPhoto) bool { return x.Key == y.Key }); len(all) != many || len(unique) != many {
		t.Errorf("listed are %d, %d of them once; want %d", len(all), len(unique), many)
	}
}

func TestListBuckets(t *testing.T) {
	for _, b := range buckets {
		t.Run(b.scheme, func(t *testing.T) {
			store := started(t, b.place(t))
			checkList(t, store)
		})
	}
}

// TestListNamesTheRight of a provider that refuses to list.
func TestListNamesTheRight(t *testing.T) {
	refusals := map[string]struct{ body, says string }{
		"s3":     {"<Error><Code>AccessDenied</Code></Error>", "grant s3:ListBucket on the bucket to these credentials"},
		"gs":     {`{"error":{"code":403,"message":"denied"}}`, "grant storage.objects.list to these credentials"},
		"azblob": {"<Error><Code>AuthorizationPermissionMismatch</Code></Error>", "grant blobs/read on the container (l in a SAS) to these credentials"},
	}
	onEachBucket(t, func(t *testing.T, front *front, store *PhotoStore) {
		scheme, _, _ := strings.Cut(strings.TrimPrefix(t.Name(), "TestListNamesTheRight/"), "/")
		front.put(func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/xml")
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.Write([]byte(refusals[scheme].body))
			})
		})
		err := listError(t.Context(), t, store)
		checkUnavailable(t, "without the right", err)
		if !strings.Contains(fmt.Sprint(err), refusals[scheme].says) {
			t.Errorf("got %v, want it to say %q", err, refusals[scheme].says)
		}
		store.timeout = 200 * time.Millisecond
		front.put(front.hang)
		checkUnavailable(t, "a server that hangs", listError(t.Context(), t, store))
	})
}

// The documented rights are enough to list, and the usual ones aren't.
func TestListTakesItsOwnRightOnS3(t *testing.T) {
	address, allow := startS3WithUsers(t)
	t.Setenv("AWS_ACCESS_KEY_ID", s3User)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3Secret)
	const usual = `["s3:PutObject","s3:GetObject","s3:DeleteObject"]`
	allow(usual)
	store := started(t, "s3://"+s3Bucket+"?endpoint="+address+"&prefix=photos")
	mustPut(t, store, newPhoto(t, 20, 1))
	if err := listError(t.Context(), t, store); !strings.Contains(fmt.Sprint(err), "grant s3:ListBucket on the bucket") {
		t.Errorf("without the right: %v", err)
	}
	allow(`["s3:ListBucket"],"Resource":"arn:aws:s3:::` + s3Bucket + `"},{"Effect":"Allow","Principal":{"AWS":["` + s3User + `"]},"Action":` + usual)
	if all := listed(t, store); len(all) != 1 || all[0].Key != key {
		t.Errorf("with the right: %+v", all)
	}
}

func TestListTakesItsOwnRightOnAzure(t *testing.T) {
	rawURL := servers.Azblob(t)
	store := started(t, rawURL)
	mustPut(t, store, newPhoto(t, 20, 1))
	var client *container.Client
	if !store.connection.As(&client) {
		t.Fatal("the bucket is no container")
	}
	limited := func(rights sas.ContainerPermissions) *PhotoStore {
		address, err := client.GetSASURL(rights, time.Now().Add(time.Hour), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, token, _ := strings.Cut(address, "?")
		t.Setenv("AZURE_STORAGE_KEY", "")
		t.Setenv("AZURE_STORAGE_SAS_TOKEN", token)
		store := started(t, rawURL)
		return store
	}
	usual := limited(sas.ContainerPermissions{Read: true, Write: true, Delete: true})
	if err := listError(t.Context(), t, usual); !strings.Contains(fmt.Sprint(err), "grant blobs/read on the container (l in a SAS)") {
		t.Errorf("without the right: %v", err)
	}
	if all := listed(t, limited(sas.ContainerPermissions{Read: true, Write: true, Delete: true, List: true})); len(all) != 1 || all[0].Key != key {
		t.Errorf("with the right: %+v", all)
	}
}
