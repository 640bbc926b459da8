<?php
$call = curl_init('http://localhost:8080/update_customer_photo.json');
curl_setopt_array($call, [
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_TIMEOUT => 60,
    CURLOPT_POSTFIELDS => [
        'api_key' => 'THE_KEY',
        'phone_number' => '447700900123',
        'customer_pin' => '1234',
        'photo_base64' => new CURLFile('portrait.jpg'),
    ],
]);
$body = curl_exec($call);
if ($body === false) {
    throw new RuntimeException(curl_error($call));
}
$answer = json_decode($body);
if ($answer->result !== 'valid') {
    throw new RuntimeException("$answer->error: $answer->detail (api_log_id $answer->api_log_id)");
}
echo $answer->url_customer_picture;
