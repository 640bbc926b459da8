package httpapi

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// readMultipart reads the parameters from a multipart form (RFC 7578) straight
// into the buffer, without the parts that aren't ours.
func readMultipart(from io.Reader, boundary string, into *body) (fields, error) {
	var f fields
	ends := map[*field][2]int{} // where each part lies in the buffer, which moves as it grows
	parts := multipart.NewReader(from, boundary)
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fields{}, err
		}
		wanted := f.named(part.FormName())
		if wanted == nil {
			continue // NextRawPart passes over the rest of this one
		}
		if err := wanted.set(part.FormName(), field{file: isFile(part)}); err != nil {
			return fields{}, err
		}
		start := len(into.data)
		if err := into.readAll(part); err != nil {
			return fields{}, err
		}
		ends[wanted] = [2]int{start, len(into.data)}
	}
	for wanted, span := range ends {
		wanted.text = into.data[span[0]:span[1]:span[1]]
	}
	return f, nil
}

// isFile tells a part with an image's own bytes from one with text: it has a
// file name, or a type that text doesn't have.
func isFile(part *multipart.Part) bool {
	if part.FileName() != "" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
	return err == nil && (mediaType == "application/octet-stream" || strings.HasPrefix(mediaType, "image/"))
}
