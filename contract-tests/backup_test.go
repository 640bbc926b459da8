package contracttests_test

import (
	"strings"
	"testing"
)

// TestBackUp backs up a running server twice and restores it, with the commands of docs/operate.md.
func TestBackUp(t *testing.T) {
	t.Parallel()
	needCallers(t, "bash", "curl")
	commands := blocks(chapter(t, "docs/operate.md", "## Back up", "## "), "sh")
	if len(commands) != 3 {
		t.Fatalf("want the commands to back up, to verify and to restore, got %q", commands)
	}
	backUp, verify, restore := commands[0], commands[1], commands[2]

	bin := installSelf(t)
	const call = "curl -sf http://localhost:8080/update_customer_photo.json -F api_key=$KEY -F customer_pin=1234 -F phone_number=44770090000"
	got := follow(t, bin, []string{
		"fleetphoto migrate\nKEY=$(fleetphoto fleet add 689)\n",
		"for i in 1 2 3 4; do fleetphoto customer add --fleet=689 --id=$i --phone=44770090000$i --pin=1234; done\nfleetphoto serve\n{\n",
		call + "1 -F photo_base64=@portrait.jpg\n" + call + "4 -F photo_base64=@portrait.jpg\n" + call + "2 -F photo_base64=@portrait.jpg\n",
		backUp, verify,
		strings.Split(backUp, "\n")[0] + " >again\n", // after copying the photos nothing differs
		call + "2 -F photo_base64=delete\n" + call + "3 -F photo_base64=@portrait.jpg\n" + "fleetphoto customer remove --fleet=689 --id=1\n",
		backUp, verify,
		call + "3 -F photo_base64=delete\n" + strings.SplitAfter(backUp, "\n")[1], // a photo that is newer than its record
		"cp fleetphoto-data/pin.key .\n", restore,
		"} >said\n", "cat again\n", "export FLEETPHOTO_PHOTO_STORE_URL=file://restored/photos\nfleetphoto photos verify --orphans\n",
		"for i in 2 3 4; do fleetphoto customer show --fleet=689 --id=$i | grep -E '^(PIN|size): '; done\n",
	})
	want := `fleets: 1 looked at, 0 copied; 0 gone, 0 of them removed; 0 not copied
customers: 4 looked at, 0 copied; 0 gone, 0 of them removed; 0 not copied
log: 3 looked at, 0 copied; 0 gone, 0 of them removed; 0 not copied
3 customers looked at: 0 photos missing, 0 different, 0 unrecorded, 0 broken; 0 records repaired
1 photos listed: 0 of customers who don't exist
PIN:      set
PIN:      set
PIN:      set
size:     1519 bytes, 96 × 96 pixels`
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
