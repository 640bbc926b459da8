package domain_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

type key = parsed[domain.PhotoKey]

func TestParsePhotoKey(t *testing.T) {
	t.Parallel()
	const usual = "fleet-689/customer_photos/452733_photo.jpg"
	const longest = "fleet-9223372036854775807/customer_photos/9223372036854775807_photo.jpg"
	want := map[string]key{
		usual:                                 {value: usual},
		longest:                               {value: longest},
		"fleet-1/customer_photos/1_photo.jpg": {value: "fleet-1/customer_photos/1_photo.jpg"},
	}
	for _, text := range []string{
		"",
		"/" + usual,
		usual + "\n",
		usual + "\x00",
		usual + "/",
		usual + "?x",
		" " + usual,
		"\n" + usual,
		usual + "\n" + usual,
		strings.ToUpper(usual),
		"fleet-0/customer_photos/1_photo.jpg",
		"fleet-1/customer_photos/0_photo.jpg",
		"fleet-01/customer_photos/1_photo.jpg",
		"fleet-1/customer_photos/01_photo.jpg",
		"fleet--1/customer_photos/1_photo.jpg",
		"fleet-+1/customer_photos/1_photo.jpg",
		"fleet-/customer_photos/1_photo.jpg",
		"fleet-1/customer_photos/_photo.jpg",
		"fleet-9223372036854775808/customer_photos/1_photo.jpg",
		"fleet-1/customer_photos/9223372036854775808_photo.jpg",
		"fleet-99999999999999999999/customer_photos/1_photo.jpg",
		"fleet-1/customer_photos/1_photo.jpeg",
		"fleet-1/customer_photos/1_photoxjpg",
		"fleet-1/customer_photos/../1_photo.jpg",
		"fleet-1/../fleet-2/customer_photos/1_photo.jpg",
		"../fleet-1/customer_photos/1_photo.jpg",
		"fleet-1/customer_photos/../../fleet-2/customer_photos/1_photo.jpg",
		"fleet-1%2Fcustomer_photos%2F1_photo.jpg",
		"fleet-1/customer_photos/%31_photo.jpg",
		"fleet-1\\customer_photos\\1_photo.jpg",
		"fleet-1//customer_photos/1_photo.jpg",
		"fleet-١/customer_photos/1_photo.jpg",
		"fleet-1/customer_photos/1_photo.jpg.attrs",
	} {
		want[text] = key{kind: domain.NotFound}
	}
	checkParse(t, domain.ParsePhotoKey, want)
	for text, want := range want {
		if got := domain.PhotoKey(text).Customer(); (got != domain.CustomerRef{}) != (want.kind == "") {
			t.Errorf("%q: Customer is %+v", text, got)
		}
	}
}

func TestPhotoKeyRoundTrip(t *testing.T) {
	t.Parallel()
	for _, fleet := range []domain.FleetID{1, 10, 689, 1<<63 - 1} {
		for _, customer := range []domain.CustomerID{1, 10, 452733, 1<<63 - 1} {
			ref := domain.CustomerRef{Fleet: fleet, Customer: customer}
			want := ref.PhotoKey()
			got, err := domain.ParsePhotoKey(string(want))
			if err != nil || got != want {
				t.Errorf("%s: got %q and %v", want, got, err)
			}
			if got := want.Customer(); got != ref {
				t.Errorf("%s: Customer is %+v, want %+v", want, got, ref)
			}
		}
	}
}

func ExampleCustomerRef_PhotoKey() {
	fmt.Println(domain.CustomerRef{Fleet: 689, Customer: 452733}.PhotoKey())
	// Output: fleet-689/customer_photos/452733_photo.jpg
}

func FuzzParsePhotoKey(f *testing.F) {
	for _, seed := range []string{
		"", "fleet-689/customer_photos/452733_photo.jpg", "fleet-1/customer_photos/9223372036854775808_photo.jpg",
		"fleet-01/customer_photos/1_photo.jpg", "../fleet-1/customer_photos/1_photo.jpg", "fleet-1/customer_photos/1_photo.jpg\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := domain.ParsePhotoKey(text)
		var ref domain.CustomerRef
		_, _ = fmt.Sscanf(text, "fleet-%d/customer_photos/%d_photo.jpg", &ref.Fleet, &ref.Customer)
		written := ref.Fleet > 0 && ref.Customer > 0 && string(ref.PhotoKey()) == text
		switch {
		case written && (err != nil || string(got) != text):
			t.Fatalf("got %q and %v for a key as PhotoKey writes it", got, err)
		case !written && (got != "" || kindOf(err) != domain.NotFound):
			t.Fatalf("got %q and %v, want Not Found", got, err)
		}
		if !written {
			ref = domain.CustomerRef{}
		}
		if owner := domain.PhotoKey(text).Customer(); owner != ref {
			t.Fatalf("Customer is %+v, want %+v", owner, ref)
		}
	})
}

func TestNewPhoto(t *testing.T) {
	t.Parallel()
	jpeg := []byte("\xff\xd8 as the caller checked it")
	photo, err := domain.NewPhoto(jpeg, 640, 480)
	if err != nil {
		t.Fatal(err)
	}
	want := domain.PhotoInfo{SHA256: sha256.Sum256(jpeg), Size: int64(len(jpeg)), Width: 640, Height: 480}
	if photo.Info() != want {
		t.Errorf("got %+v, want %+v", photo.Info(), want)
	}
	if got := photo.JPEG(); &got[0] != &jpeg[0] || len(got) != len(jpeg) {
		t.Error("the bytes were copied or cut")
	}
}

func TestNewPhotoRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		data          string
		width, height int
	}{
		{"nothing", "", 1, 1},
		{"half a marker", "\xff", 1, 1},
		{"a PNG", "\x89PNG\r\n\x1a\n", 1, 1},
		{"no width", "\xff\xd8", 0, 1},
		{"no height", "\xff\xd8", 1, 0},
		{"a negative width", "\xff\xd8", -1, 1},
		{"a negative height", "\xff\xd8", 1, -1},
	} {
		photo, err := domain.NewPhoto([]byte(test.data), test.width, test.height)
		if err == nil || photo.JPEG() != nil || photo.Info().Exists() {
			t.Errorf("%s: got a photo %+v and %v", test.name, photo.Info(), err)
		}
	}
}

func TestPhotoInfoExists(t *testing.T) {
	t.Parallel()
	if (domain.PhotoInfo{}).Exists() || (domain.Photo{}).Info().Exists() || !(domain.PhotoInfo{Size: 1}).Exists() {
		t.Error("a photo exists where it has bytes")
	}
}
