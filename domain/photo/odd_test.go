package photo_test

import (
	"fmt"
	"image"
	"image/color"
	"testing"
)

// quarters are the colours at the top left, top right, bottom left and bottom
// right of a photo.
type quarters [4]color.RGBA

// checkQuarters checks the size of a picture and the middle of each quarter.
func checkQuarters(picture image.Image, size image.Point, want quarters) error {
	if got := picture.Bounds().Size(); got != size {
		return fmt.Errorf("got %v, want %v", got, size)
	}
	shown := onWhite(picture)
	for i, w := range want {
		got := shown.RGBAAt((2*(i%2)+1)*size.X/4, (2*(i/2)+1)*size.Y/4)
		const rounding = 4 // a JPEG's, and that of a browser's tables
		if apart(got.R, w.R) > rounding || apart(got.G, w.G) > rounding || apart(got.B, w.B) > rounding {
			return fmt.Errorf("quarter %d: got %v, want %v", i, got, w)
		}
	}
	return nil
}

func apart(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }

// odd is a file that is shown correctly, or refused with a message.
type odd struct {
	name    string
	data    []byte
	size    image.Point
	want    quarters
	refusal string // a part of the message; empty: the file is shown
}

func checkOdd(t *testing.T, cases []odd) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.refusal != "" {
				_, err := read(t, productLimits(), c.data)
				checkNamed(t, err, c.refusal)
				return
			}
			_, picture := mustRead(t, productLimits(), c.data)
			if err := checkQuarters(picture, c.size, c.want); err != nil {
				t.Error(err)
			}
		})
	}
}

// asPainted are the quarters of quadrants.
func asPainted() quarters {
	return quarters{{220, 30, 30, 255}, {30, 160, 30, 255}, {30, 30, 220, 255}, {230, 220, 40, 255}}
}

// turnedRight are the quarters of a picture that is turned by 90° clockwise.
func (q quarters) turnedRight() quarters { return quarters{q[2], q[0], q[3], q[1]} }

const brokenPNG = "the PNG image is broken"
