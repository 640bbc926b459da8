package app

import (
	"bytes"
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// shared are backends in memory that outlive a command.
type shared struct {
	t        *testing.T
	database *memory.Backend
	old, new *memory.PhotoStore
	stores   map[string]ports.PhotoStore // by the scheme of their URL

	databases map[string]Backend // beside database, by the scheme of their URL
}

func newShared(t *testing.T) *shared {
	t.Helper()
	s := &shared{t: t, database: memory.New(), old: memory.NewPhotoStore(), new: memory.NewPhotoStore(), databases: map[string]Backend{}}
	s.stores = map[string]ports.PhotoStore{"old": s.old, "new": s.new, "unlisted": struct{ ports.PhotoStore }{s.old}}
	return s
}

// catalogue has each backend under a scheme of its own.
func (s *shared) catalogue() Catalogue {
	catalogue := Catalogue{
		Databases: map[string]Opener{"memory": openMemory, "shared": func(string) (Backend, error) {
			b := s.database
			return Backend{
				FleetAuth: b.FleetAuth, CustomerRepo: b.CustomerRepo, ApiLog: b.ApiLog,
				FleetDirectory: b.FleetAuth, CustomerDirectory: b.CustomerRepo, PINKeyBinder: b.CustomerRepo, ApiLogArchive: b.ApiLog,
			}, nil
		}},
		PhotoStores: map[string]Opener{},
	}
	for scheme, backend := range s.databases {
		catalogue.Databases[scheme] = func(string) (Backend, error) { return backend, nil }
	}
	for scheme, store := range s.stores {
		catalogue.PhotoStores[scheme] = func(string) (Backend, error) {
			lister, _ := store.(ports.PhotoLister)
			addresser, _ := store.(ports.PhotoAddresser)
			return Backend{PhotoStore: store, PhotoLister: lister, PhotoAddresser: addresser}, nil
		}
	}
	return catalogue
}

// run runs a command and returns its exit code, its standard output and its last line of errors.
func (s *shared) run(ctx context.Context, args ...string) (code int, out, failure string) {
	s.t.Helper()
	settings := []string{"--database-url=shared://", "--photo-store-url=old://", "--pin-key=" + strings.Repeat("0", 64)}
	var printed, errOut bytes.Buffer
	code = run(ctx, append(settings, args...), s.catalogue(), &printed, &errOut)
	return code, printed.String(), errOut.String()
}

// add adds a customer of fleet 689 whose record and whose stored photo are these; nil: none.
func (s *shared) add(id domain.CustomerID, recorded, stored []byte) domain.CustomerRef {
	s.t.Helper()
	ref := domain.CustomerRef{Fleet: 689, Customer: id}
	_, err := s.database.CustomerRepo.ImportCustomers(s.t.Context(), []domain.CustomerImport{{Ref: ref, Phone: domain.PhoneNumber(id)}})
	check(s.t, err)
	if recorded != nil {
		check(s.t, s.database.CustomerRepo.ChangePhoto(s.t.Context(), ref, func(context.Context, domain.PhotoRecord, ports.LockProof) (domain.PhotoRecord, error) {
			return domain.PhotoRecord{Info: photo.Describe(recorded)}, nil
		}))
	}
	if stored != nil {
		s.put(ref, stored)
	}
	return ref
}

func (s *shared) put(ref domain.CustomerRef, jpeg []byte) {
	s.t.Helper()
	stored, err := domain.NewPhoto(jpeg, 1, 1)
	check(s.t, err)
	_, err = s.old.Put(s.t.Context(), ref.PhotoKey(), stored, domain.NoPhoto)
	check(s.t, err)
}

// expect runs a command and compares what it prints.
func (s *shared) expect(code int, out, failure string, args ...string) {
	s.t.Helper()
	gotCode, gotOut, gotFailure := s.run(s.t.Context(), args...)
	if gotCode != code || gotOut != out || !strings.Contains(gotFailure, failure) || failure == "" && gotFailure != "" {
		s.t.Errorf("%q: got %d\n%s%s\nwant %d\n%s%s", args, gotCode, gotOut, gotFailure, code, out, failure)
	}
}

const (
	firstKey  = "fleet-689/customer_photos/1_photo.jpg"
	secondKey = "fleet-689/customer_photos/2_photo.jpg"
)

func TestPhotosVerify(t *testing.T) {
	s := newShared(t)
	s.add(1, demoPhoto, nil)
	s.add(2, nil, demoPhoto[:len(demoPhoto)/2])
	s.add(3, demoPhoto, demoPhoto)
	s.expect(1, secondKey+" broken\n2 customers looked at: 0 photos missing, 0 different, 0 unrecorded, 1 broken; 0 records repaired\n",
		"fleetphoto: 1 photos differ from their records, are broken or have no customer\n", "photos", "verify", "--after=689/1", "--parallel=1")
	s.expect(1, firstKey+" missing\n"+secondKey+" broken\n3 customers looked at: 1 photos missing, 0 different, 0 unrecorded, 1 broken; 0 records repaired\n",
		"fleetphoto: 2 photos differ from their records, are broken or have no customer\n", "photos", "verify", "--parallel=1")
	held, err := usecase.ReadHeld(t.Context(), s.old, secondKey)
	check(t, err)
	check(t, s.old.Delete(t.Context(), secondKey, held.Version))
	s.expect(0, firstKey+" missing repaired\n3 customers looked at: 1 photos missing, 0 different, 0 unrecorded, 0 broken; 1 records repaired\n", "", "photos", "verify", "--repair")
	s.expect(0, "3 customers looked at: 0 photos missing, 0 different, 0 unrecorded, 0 broken; 0 records repaired\n", "", "photos", "verify")
}

func TestPhotosVerifyOrphans(t *testing.T) {
	s := newShared(t)
	const verified = "1 customers looked at: 0 photos missing, 0 different, 0 unrecorded, 0 broken; 0 records repaired\n"
	const orphan = "fleet-689/customer_photos/404_photo.jpg orphan"
	s.add(1, demoPhoto, demoPhoto)
	s.put(domain.CustomerRef{Fleet: 689, Customer: 404}, demoPhoto)
	left := "fleetphoto: 1 photos differ from their records, are broken or have no customer\n"
	s.expect(0, verified, "", "photos", "verify")
	s.expect(1, verified+orphan+"\n2 photos listed: 1 of customers who don't exist\n", left, "photos", "verify", "--orphans")
	s.expect(1, verified+orphan+"\n2 photos listed: 1 of customers who don't exist; none deleted, as --yes is missing\n", left, "photos", "verify", "--delete-orphans", "--grace=0s")
	s.expect(1, verified+orphan+"\n2 photos listed: 1 of customers who don't exist; 0 deleted, 1 kept as they were changed in the last 24h0m0s\n", left,
		"photos", "verify", "--delete-orphans", "--yes")
	s.expect(0, verified+orphan+" deleted\n2 photos listed: 1 of customers who don't exist; 1 deleted, 0 kept as they were changed in the last 0s\n", "",
		"photos", "verify", "--delete-orphans", "--yes", "--grace=0s")
	s.expect(1, "", "FLEETPHOTO_PHOTO_STORE_URL: the backend at this URL has no PhotoLister, which this command needs", "photos", "verify", "--orphans", "--photo-store-url=unlisted://")
	s.expect(1, "", "--yes: it works only with --delete-orphans", "photos", "verify", "--yes")
	s.expect(1, "", "--grace: want 0 or longer, got -1s", "photos", "verify", "--grace=-1s")
}

func TestPhotosCopy(t *testing.T) {
	s := newShared(t)
	s.add(1, demoPhoto, demoPhoto)
	s.add(2, demoPhoto, nil)
	s.add(3, nil, nil)
	copied := []string{"photos", "copy", "--from=old://", "--to=new://"}
	lost := "fleetphoto: 1 photos are in neither store; a call that was interrupted in the last 2m10s may be the cause"
	s.expect(1, secondKey+" lost\n3 customers looked at: 1 photos copied, 1.5 KiB; 0 deleted; 1 unchanged; 1 lost; 0 of customers who don't exist, 0 of them deleted\n", lost, copied...)
	if content, _, err := s.new.Open(t.Context(), firstKey); err != nil || content.Close() != nil {
		t.Errorf("in the new store: %v", err)
	}
	const right = "1 customers looked at: 0 photos copied, 0 B; 0 deleted; 1 unchanged; 0 lost; "
	after := append(slices.Clone(copied), "--after", "689/2")
	s.expect(0, right+"0 of customers who don't exist, 0 of them deleted\n", "", after...)
	gone := domain.CustomerRef{Fleet: 689, Customer: 404}.PhotoKey()
	stored, err := domain.NewPhoto(demoPhoto, 1, 1)
	check(t, err)
	_, err = s.new.Put(t.Context(), gone, stored, domain.NoPhoto)
	check(t, err)
	s.expect(1, string(gone)+" orphan\n"+right+"1 of customers who don't exist, 0 of them deleted\n", "fleetphoto: 1 photos belong to customers who don't exist; --delete deletes them", after...)
	s.expect(0, string(gone)+" orphan deleted\n"+right+"1 of customers who don't exist, 1 of them deleted\n", "", append(after, "--delete")...)
	for _, test := range []struct{ failure, flag string }{
		{"--to: it is the same store as --from", "--to=old://"},
		{"--to: want a URL that begins with new://, old://, unlisted://, got \"tape\"", "--to=tape://1"},
		{"--from: want a URL", "--from=tape"},
		{"FLEETPHOTO_DATABASE_URL: memory:// ends with this command", "--database-url=memory://"},
		{"want FLEET/CUSTOMER, such as 689/452733", "--after=689"},
		{"want FLEET/CUSTOMER, such as 689/452733", "--after=689/1x"},
		{"--parallel: want 1 to 256, got 0", "--parallel=0"},
	} {
		if code, out, failure := s.run(t.Context(), append(copied, test.flag)...); code != 1 || out != "" && !strings.HasPrefix(out, "Usage: ") || !strings.Contains(failure, test.failure) {
			t.Errorf("%s: got %d %s%s, want %q", test.flag, code, out, failure, test.failure)
		}
	}
}

// TestPhotosCopySaysHowToGoOn: it begins with nothing once it is interrupted.
func TestPhotosCopySaysHowToGoOn(t *testing.T) {
	s := newShared(t)
	s.add(1, demoPhoto, demoPhoto)
	ctx, cancel := context.WithCancel(t.Context())
	s.stores["new"] = interrupting{s.new, cancel}
	code, out, failure := s.run(ctx, "photos", "copy", "--from=old://", "--to=new://", "--after=689/0")
	if code != 1 || !strings.HasPrefix(out, "1 customers looked at: 1 photos copied") || !strings.Contains(failure, "interrupted, after finishing the customers in hand; continue with --after 689/0") {
		t.Errorf("got %d %s%s", code, out, failure)
	}
}

// interrupting is a store at whose first Put the operator gives up.
type interrupting struct {
	*memory.PhotoStore
	interrupt func()
}

func (s interrupting) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	s.interrupt()
	return s.PhotoStore.Put(ctx, key, photo, over)
}

// TestPhotosOnSQLiteAndFiles moves a served photo to another directory.
func TestPhotosOnSQLiteAndFiles(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	server := serve(t, directory)
	form := newFleet(t, directory)
	if a, err := postForm(server.api, withPhoto(form, "data:image/jpeg;base64,"+base64.StdEncoding.EncodeToString(demoPhoto))); err != nil || a.Result != "valid" {
		t.Fatalf("got %+v, %v", a, err)
	}
	copied := output(t, directory, nil, "photos", "copy", "--from", "file://fleetphoto-data/photos", "--to", "file://moved")
	verified := output(t, directory, []string{"FLEETPHOTO_PHOTO_STORE_URL=file://moved"}, "photos", "verify", "--orphans")
	want := "1 customers looked at: 0 photos missing, 0 different, 0 unrecorded, 0 broken; 0 records repaired\n1 photos listed: 0 of customers who don't exist\n"
	if !strings.HasPrefix(copied, "1 customers looked at: 1 photos copied, ") || verified != want {
		t.Errorf("got %s%s", copied, verified)
	}
	server.stop(t)
}
