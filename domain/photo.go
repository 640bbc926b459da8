package domain

import (
	"bytes"
	"crypto/sha256"
	"errors"
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

// PhotoInfo describes a stored photo. The zero PhotoInfo says that there is none.
type PhotoInfo struct {
	SHA256        [sha256.Size]byte // of the JPEG's bytes
	Size          int64             // bytes
	Width, Height int               // pixels
}

// Exists says whether there is a photo.
func (i PhotoInfo) Exists() bool { return i.Size > 0 }

// PhotoRecord is what a customer's record says of the stored photo. The zero
// PhotoRecord is a customer whose photo was never changed.
type PhotoRecord struct {
	Info      PhotoInfo // zero: the photo was deleted, or never was
	ChangedAt time.Time // UTC, whole microseconds; zero: never
	ChangedBy ApiLogID  // the call that changed it last; 0: none
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
