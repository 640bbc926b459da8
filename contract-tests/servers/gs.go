package servers

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/testcontainers/testcontainers-go/wait"
)

const emulatorVariable = "STORAGE_EMULATOR_HOST"

func startGS(ctx context.Context, image string) (string, error) {
	c := container{
		image: image, ports: []string{"4443/tcp"}, cmd: []string{"-scheme", "http", "-backend", "memory"},
		ready: wait.ForHTTP("/_internal/healthcheck").WithPort("4443/tcp"),
	}
	address, err := c.start(ctx)
	if err != nil {
		return "", err
	}
	// Under another address than its own it knows no object.
	if _, err := request(ctx, http.MethodPut, "http://"+address+"/_internal/config", fmt.Sprintf(`{"externalUrl":"http://%s","publicHost":%q}`, address, address)); err != nil {
		return "", err
	}
	if _, err := request(ctx, http.MethodPost, "http://"+address+"/storage/v1/b?project=test", fmt.Sprintf(`{"name":%q}`, bucketName)); err != nil {
		return "", err
	}
	key, err := writeKey()
	if err != nil {
		return "", err
	}
	parameters := url.Values{"access_id": {"test@example.com"}, "private_key_path": {key}}
	return "gs://" + bucketName + "?" + parameters.Encode(), setEnvironment(map[string]string{emulatorVariable: address})
}

// writeKey writes a private key to sign addresses with, and returns its path.
func writeKey() (string, error) {
	const bits = 2048
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return "", err
	}
	file, err := os.CreateTemp("", "fleetphoto-test-*.pem")
	if err != nil {
		return "", err
	}
	atEnd.add(func() error { return os.Remove(file.Name()) })
	defer func() { _ = file.Close() }()
	return file.Name(), pem.Encode(file, &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
}

func nameGS(ctx context.Context, _, image string) (string, error) {
	if emulator := os.Getenv(emulatorVariable); emulator != "" {
		return nameOf(ctx, image, "http://"+emulator), nil
	}
	return nameOf(ctx, image, "https://storage.googleapis.com"), nil
}
