package gocloud

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"gocloud.dev/blob/azureblob"

	"github.com/fleetphoto/fleetphoto/domain"
)

func azblobForms() forms {
	return forms{
		"storage_account": {`[a-z0-9]+`, "the name of the storage account"},
		"domain":          {host, "a host such as blob.core.chinacloudapi.cn"},
		"protocol":        {`https?`, "http or https"},
		"localemu":        trueOrFalse,
	}
}

func newAzblob(name string, parameters url.Values) (provider, error) {
	opener := azureblob.URLOpener{MakeClient: azureblob.NewDefaultClient, ServiceURLOptions: *azureblob.NewDefaultServiceURLOptions()}
	if cmp.Or(parameters.Get("storage_account"), opener.ServiceURLOptions.AccountName) == "" {
		return provider{}, errors.New("no storage account: name it in AZURE_STORAGE_ACCOUNT, or with storage_account= in the URL")
	}
	return provider{
		bucket: name,
		name:   fmt.Sprintf("the container %q", name),
		rights: rights{
			write: "blobs/write (w in a SAS)", read: "blobs/read (r in a SAS)", remove: "blobs/delete (d in a SAS)",
			list: "blobs/read on the container (l in a SAS)", look: "blobs/read (r in a SAS)",
		},
		identity: "AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN, AZURE_STORAGE_CONNECTION_STRING or an identity",
		connect: func(ctx context.Context) (*connection, error) {
			objects, err := opener.OpenBucketURL(ctx, &url.URL{Host: name, RawQuery: parameters.Encode()})
			if err != nil {
				return nil, fmt.Errorf("%w: %w", errNoCredentials, err)
			}
			var client *container.Client
			objects.As(&client)
			base, _, _ := strings.Cut(client.URL(), "?") // without the SAS
			return &connection{objects, azblobObjects{client}, etags, base + "/", signAzblob(client, base+"/"), azblobObjects{client}.kept}, nil
		},
	}, nil
}

// azblobObjects are the objects of a container.
type azblobObjects struct{ *container.Client }

func (b azblobObjects) put(ctx context.Context, o object, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	answer, err := b.NewBlockBlobClient(o.name).Upload(asAzblobChange(ctx), streaming.NopCloser(bytes.NewReader(o.data)), &blockblob.UploadOptions{
		HTTPHeaders:      &blob.HTTPHeaders{BlobContentType: &o.contentType, BlobCacheControl: &o.cacheControl},
		AccessConditions: azblobConditions(over),
	})
	if err != nil {
		return "", err
	}
	return version((*string)(answer.ETag)), nil
}

func (b azblobObjects) remove(ctx context.Context, name string, over domain.PhotoVersion) error {
	_, err := b.NewBlobClient(name).Delete(asAzblobChange(ctx), &blob.DeleteOptions{AccessConditions: azblobConditions(over)})
	return err
}

func (b azblobObjects) get(ctx context.Context, name string) (stored, error) {
	answer, err := b.NewBlobClient(name).DownloadStream(ctx, nil)
	if err != nil {
		return stored{}, err
	}
	size := int64(-1)
	if answer.ContentLength != nil {
		size = *answer.ContentLength
	}
	return stored{answer.Body, size, version((*string)(answer.ETag))}, nil
}

// kept reads the headers of the marker, which Start has just written, and those
// of the answer to a deletion. Reading the account's settings needs another
// right; only they say for how long.
func (b azblobObjects) kept(ctx context.Context, prefix string) (kept, error) {
	marker, err := b.NewBlobClient(prefix+markerName).GetProperties(ctx, nil)
	if err != nil {
		return kept{}, err
	}
	var found kept
	if marker.VersionID != nil {
		found.versions = keptUnknown
	}
	probe := object{name: prefix + "fleetphoto-probe-" + rand.Text() + ".txt", contentType: "text/plain"}
	if _, err := b.put(ctx, probe, domain.NoPhoto); err != nil {
		return kept{}, err
	}
	var deletion *http.Response
	if err := b.remove(policy.WithCaptureResponse(ctx, &deletion), probe.name, domain.Unversioned); err != nil {
		return kept{}, err
	}
	if deletion.Header.Get("x-ms-delete-type-permanent") == "false" && found.versions == keptNot { // versions outlive deletions too
		found.deleted = keptUnknown
	}
	return found, nil
}

func azblobConditions(over domain.PhotoVersion) *blob.AccessConditions {
	match, noneMatch := conditions(over)
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{
		IfMatch: (*azcore.ETag)(match), IfNoneMatch: (*azcore.ETag)(noneMatch),
	}}
}

// asAzblobChange makes the SDK retry a request only after Azure refused it as
// busy.
func asAzblobChange(ctx context.Context) context.Context {
	return policy.WithRetryOptions(ctx, policy.RetryOptions{ShouldRetry: func(answer *http.Response, _ error) bool {
		return answer != nil && (answer.StatusCode == http.StatusTooManyRequests ||
			answer.StatusCode == http.StatusServiceUnavailable && answer.Header.Get("x-ms-error-code") == string(bloberror.ServerBusy))
	}})
}

// signAzblob differs from gocloud's signing in two ways: the signature has no
// start time, because this machine's clock may be ahead of Azure's, and the
// name's slashes aren't escaped.
func signAzblob(client *container.Client, base string) signer {
	return func(_ context.Context, name string, lifetime time.Duration) (string, error) {
		address, err := client.NewBlobClient(name).GetSASURL(sas.BlobPermissions{Read: true}, time.Now().Add(lifetime), nil)
		if errors.Is(err, bloberror.MissingSharedKeyCredential) {
			err = fmt.Errorf("%w: only the account's key can sign", errNoCredentials)
		}
		_, signature, _ := strings.Cut(address, "?")
		return base + name + "?" + signature, err
	}
}
