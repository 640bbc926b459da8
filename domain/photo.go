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
// "fleet-689/customer_photos/452733_photo.jpg". CustomerRef.PhotoKey makes it.
type PhotoKey string

var photoKeyPattern = regexp.MustCompile(`^fleet-([1-9][0-9]{0,18})/customer_photos/([1-9][0-9]{0,18})_photo\.jpg$`)

// ParsePhotoKey reads a key as CustomerRef.PhotoKey writes it and fails with
// NotFound for any other text, as nothing is stored under it.
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

// Customer returns whose photo k is the key of; zero where CustomerRef.PhotoKey
// doesn't make k of any customer.
func (k PhotoKey) Customer() CustomerRef {
	parts := photoKeyPattern.FindStringSubmatch(string(k))
	if parts == nil {
		return CustomerRef{}
	}
	fleet, _ := strconv.ParseInt(parts[1], 10, 64) // what isn't a number makes another key
	customer, _ := strconv.ParseInt(parts[2], 10, 64)
	ref := CustomerRef{FleetID(fleet), CustomerID(customer)}
	if ref.PhotoKey() != k {
		return CustomerRef{}
	}
	return ref
}

// Digest is a SHA-256. It reads and writes itself as hexadecimal digits.
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

// PhotoInfo describes a stored photo. The zero PhotoInfo says that there is none.
type PhotoInfo struct {
	SHA256 Digest // of the JPEG's bytes
	Size   int64  // bytes
	Width  int    // pixels
	Height int    // pixels
}

// Exists says whether there is a photo.
func (i PhotoInfo) Exists() bool { return i.Size > 0 }

// PhotoVersion names what a photo store holds under a key at one time: the
// store's own word for it, such as an ETag, or one of the constants. A change
// that names the version that it replaces does nothing to a later one.
type PhotoVersion string

// The versions that are no store's own word.
const (
	UnknownVersion PhotoVersion = ""            // nobody knows: the store has to be asked
	NoPhoto        PhotoVersion = "none"        // there is no photo
	Unversioned    PhotoVersion = "unversioned" // a photo in a store that has no versions
)

// PhotoStoreName tells photo stores apart: scheme, bucket and prefix, or the
// directory. It holds no secret. Empty: not known, as before stores had names.
type PhotoStoreName string

// PhotoRecord is what a customer's record says of the stored photo. The zero
// PhotoRecord is a customer whose photo was never changed.
type PhotoRecord struct {
	Info      PhotoInfo // zero: the photo was deleted, or never was
	ChangedAt time.Time // UTC, whole microseconds; zero: never
	ChangedBy ApiLogID  // the call that changed it last; 0: none
	Version   PhotoVersion
	Store     PhotoStoreName // where Version is
}

// StoredPhoto is a photo as a photo store lists it.
type StoredPhoto struct {
	Key       PhotoKey
	Size      int64     // bytes
	ChangedAt time.Time // by the store's clock
}

// Photo is a JPEG that may be stored: complete, within the limits. It doesn't
// own its bytes: whoever made it says how long they stay valid.
type Photo struct {
	jpeg []byte
	info PhotoInfo
}

// NewPhoto takes the bytes of a JPEG that has been checked to decode, and its
// dimensions in pixels. It keeps jpeg without copying it.
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
