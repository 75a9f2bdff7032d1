console.log('cipo');
