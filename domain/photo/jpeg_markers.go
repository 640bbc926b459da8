package photo

import "fmt"

// Marker codes (ITU-T T.81, table B.1), without their 0xFF.
const (
	markerSOF0  = 0xC0 // start of frame, baseline; up to 0xCF, DHT, JPG and DAC aside
	markerSOF1  = 0xC1
	markerSOF2  = 0xC2
	markerDHT   = 0xC4
	markerRST0  = 0xD0 // restart; up to 0xD7
	markerRST7  = 0xD7
	markerSOI   = 0xD8
	markerEOI   = 0xD9
	markerSOS   = 0xDA
	markerDQT   = 0xDB
	markerDNL   = 0xDC
	markerDRI   = 0xDD
	markerAPP0  = 0xE0
	markerAPP1  = 0xE1
	markerAPP2  = 0xE2
	markerAPP14 = 0xEE
	markerAPP15 = 0xEF
	markerCOM   = 0xFE
)

// unsupportedError says in a sentence why a whole JPEG can't be decoded.
type unsupportedError string

func (e unsupportedError) Error() string { return string(e) }

// unsupported names the JPEG process that a marker stands for (T.81, table B.1).
func unsupported(marker byte) error {
	switch marker {
	case 0xC3:
		return unsupportedError("lossless")
	case 0xC5, 0xC6, 0xC7, 0xDE, 0xDF:
		return unsupportedError("hierarchical")
	case 0xC9, 0xCA, 0xCB, 0xCC:
		return unsupportedError("arithmetic-coded")
	case 0xCD, 0xCE, 0xCF:
		return unsupportedError("hierarchical and arithmetic-coded")
	case 0xF7, 0xF8:
		return unsupportedError("a JPEG-LS")
	case markerDNL:
		return unsupportedError("of a height that only its end tells")
	}
	return fmt.Errorf("marker 0x%02X where none may be", marker)
}
