package domain

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// PhotoKey is the name of a customer's photo in the photo store, for instance
// "fleet-689/customer_photos/452733_photo.jpg". CustomerRef.PhotoKey returns it.
type PhotoKey string

var photoKeyPattern = regexp.MustCompile(`^fleet-([1-9][0-9]{0,18})/customer_photos/([1-9][0-9]{0,18})_photo\.jpg$`)

// ParsePhotoKey parses a key as CustomerRef.PhotoKey writes it. It fails with
// NotFound for any other text, since nothing is stored under it.
func ParsePhotoKey(text string) (PhotoKey, error) {
	parts := photoKeyPattern.FindStringSubmatch(text)
	if parts == nil {
		return "", Errorf(NotFound, "there is no photo at this address")
	}
	for _, id := range parts[1:] {
		if _, err := strconv.ParseInt(id, 10, 64); err != nil {
			return "", Errorf(NotFound, "there is no photo at this address").WithCause(err)
		}
	}
	return PhotoKey(text), nil
}

// Customer returns the customer whose PhotoKey is k; zero if there can be none.
func (k PhotoKey) Customer() CustomerRef {
	parts := photoKeyPattern.FindStringSubmatch(string(k))
	if parts == nil {
		return CustomerRef{}
	}
	fleet, _ := strconv.ParseInt(parts[1], 10, 64) // a number out of range yields another key, compared below
	customer, _ := strconv.ParseInt(parts[2], 10, 64)
	ref := CustomerRef{FleetID(fleet), CustomerID(customer)}
	if ref.PhotoKey() != k {
		return CustomerRef{}
	}
	return ref
}

// Digest is a SHA-256. As text it is 64 hexadecimal digits.
type Digest [sha256.Size]byte

// String returns the 64 hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText implements encoding.TextMarshaler.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != 2*len(d) {
		return fmt.Errorf("want %d hexadecimal digits, got %d characters", 2*len(d), len(text))
	}
	_, err := hex.Decode(d[:], text)
	return err
}

// PhotoInfo describes a stored photo. The zero PhotoInfo is no photo.
type PhotoInfo struct {
	SHA256 Digest // of the JPEG's bytes
	Size   int64  // bytes
	Width  int    // pixels
	Height int    // pixels
}

// Exists reports whether there is a photo.
func (i PhotoInfo) Exists() bool { return i.Size > 0 }

// PhotoVersion identifies what a photo store holds under a key at one time: a value
// of the store's own, such as an ETag, or one of the constants. A change names the
// version that it replaces, so that it never replaces a later one.
type PhotoVersion string

// The versions that no store chooses itself.
const (
	UnknownVersion PhotoVersion = ""            // not known; no photo has it
	NoPhoto        PhotoVersion = "none"        // there is no photo
	Unversioned    PhotoVersion = "unversioned" // a photo in a store that has no versions
)

// PhotoStoreName tells photo stores apart: scheme, bucket and prefix, or the
// directory. It contains no secret. Empty is unknown, as in records and entries
// older than these names.
type PhotoStoreName string

// PhotoRecord is what the database says of a customer's photo. The zero PhotoRecord
// belongs to a customer whose photo was never changed.
type PhotoRecord struct {
	Info      PhotoInfo // zero: no photo
	ChangedAt time.Time // UTC, whole microseconds; zero: never
	ChangedBy ApiLogID  // the call that changed it last; 0: none did, or Repair corrected the record
	Version   PhotoVersion
	Store     PhotoStoreName // the store that Version is of
}

// StoredPhoto is a photo as a photo store lists it.
type StoredPhoto struct {
	Key       PhotoKey
	Size      int64     // bytes
	ChangedAt time.Time // by the store's clock
}

// Photo is a JPEG that may be stored: complete and within the limits. It doesn't
// own its bytes; whoever made it says how long they stay valid.
type Photo struct {
	jpeg []byte
	info PhotoInfo
}

// NewPhoto returns a Photo of the bytes of a JPEG, which the caller has checked to
// be decodable, and its dimensions in pixels. It keeps jpeg without copying it.
func NewPhoto(jpeg []byte, width, height int) (Photo, error) {
	if !bytes.HasPrefix(jpeg, []byte{0xFF, 0xD8}) || width <= 0 || height <= 0 {
		return Photo{}, errors.New("a photo is a JPEG of at least one pixel")
	}
	return Photo{jpeg: jpeg, info: PhotoInfo{
		SHA256: sha256.Sum256(jpeg), Size: int64(len(jpeg)), Width: width, Height: height,
	}}, nil
}

// JPEG returns the photo's bytes, which must not be changed.
func (p Photo) JPEG() []byte { return p.jpeg }

// Info describes the photo.
func (p Photo) Info() PhotoInfo { return p.info }
