package servers

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/testcontainers/testcontainers-go/wait"
)

const accountVariable = "AZURE_STORAGE_ACCOUNT"

func startAzblob(ctx context.Context, image string) (string, error) {
	const account = "fleetphoto"
	key := base64.StdEncoding.EncodeToString([]byte("only-on-loopback"))
	c := container{
		image: image, ports: []string{"10000/tcp"}, env: map[string]string{"AZURITE_ACCOUNTS": account + ":" + key},
		cmd:   []string{"azurite-blob", "--blobHost", "0.0.0.0", "--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck"},
		ready: wait.ForHTTP("/").WithPort("10000/tcp").WithStatusCodeMatcher(func(int) bool { return true }), // it answers, although with a refusal
	}
	address, err := c.start(ctx)
	if err != nil {
		return "", err
	}
	credential, err := azblob.NewSharedKeyCredential(account, key)
	if err != nil {
		return "", err
	}
	client, err := azblob.NewClientWithSharedKeyCredential(fmt.Sprintf("http://%s/%s", address, account), credential, nil)
	if err != nil {
		return "", err
	}
	anyoneReads := azblob.PublicAccessTypeBlob
	if _, err := client.CreateContainer(ctx, bucketName, &azblob.CreateContainerOptions{Access: &anyoneReads}); err != nil {
		return "", err
	}
	parameters := url.Values{"protocol": {"http"}, "domain": {address}, "localemu": {"true"}}
	return "azblob://" + bucketName + "?" + parameters.Encode(), setEnvironment(map[string]string{accountVariable: account, "AZURE_STORAGE_KEY": key})
}

func nameAzblob(ctx context.Context, rawURL, image string) (string, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "", err
	}
	address := "https://" + os.Getenv(accountVariable) + ".blob.core.windows.net"
	if domain := u.Query().Get("domain"); domain != "" {
		address = u.Query().Get("protocol") + "://" + domain
	}
	return nameOf(ctx, image, address), nil
}
