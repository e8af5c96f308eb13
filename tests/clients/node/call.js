// Calls the vendor's SDK, unmodified but for its address: node call.js URL KEY SECRET METHOD ARGUMENTS
'use strict';
const { ocr: AipOcr, HttpClient } = require('baidu-aip-sdk');
const [url, key, secret, method, given] = process.argv.slice(2);
HttpClient.setRequestInterceptor(options => ({ ...options, url: options.url.replace('https://aip.baidubce.com', url) }));
const client = new AipOcr('app', key, secret);
client[method](...JSON.parse(given)).then(
  answer => process.stdout.write(JSON.stringify(answer)),
  error => { process.stderr.write(String(error)); process.exit(1); },
);
